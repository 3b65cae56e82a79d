"""Expressions of a block as terms: canonical, with the tokens that they stand in."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from sartor.core.block import WITH_QUERY, Bound, ColumnOf, Term, column_text
from sartor.sql.algebra.steady import is_steady
from sartor.sql.date_parts import unit_of
from sartor.sql.fingerprint import Fingerprint

Resolve = Callable[[exp.Column], ColumnOf | None]

_OPERATORS: dict[type[exp.Expr], tuple[str, str]] = {
    exp.EQ: ("=", "="),
    exp.LT: ("<", ">"),
    exp.LTE: ("<=", ">="),
    exp.GT: (">", "<"),
    exp.GTE: (">=", "<="),
}

_DIALECT = sqlglot.Dialect.get_or_raise("duckdb")
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Between, exp.Like, exp.In)


class Reader:
    """Makes terms of a block's expressions.

    Args:
        words: the template's tokens as this text writes them.
        resolve: the column of the block that a name means; None for what is no column of it, such as an alias of the select list.
        types: the type of each column, upper-case.
    """

    def __init__(self, printed: Fingerprint, words: tuple[str, ...], text: str, resolve: Resolve, types: dict[ColumnOf, str]) -> None:
        self._printed = printed
        self._words = words
        self._text = text
        self._resolve = resolve
        self._types = types
        self._starts = [start for start, _ in printed.tokens]
        self._printer = _DIALECT.generator()

    def token_at(self, position: int | None) -> int:
        """The token that begins at a position of the text, or -1."""
        if position is None:
            return -1
        place = bisect_left(self._starts, position)
        return place if place < len(self._starts) and self._starts[place] == position else -1

    def term(self, node: exp.Expr) -> Term | None:
        """The term of an expression; None if it reads no column of the block."""
        column = self._resolve(node) if isinstance(node, exp.Column) else None
        if column is not None:
            first, last = self._column_span(node)
            text = column_text(column)
            return Term(text, text, first, last, column, steady=True)
        parts = [part for part in map(self.term, _children(node)) if part is not None]
        if not parts:
            return None
        first, last = self.span(node)
        if first >= 0 and not self._is_written_at(node, first, last):
            first = last = -1
        raw = self.raw(first, last, parts) if first >= 0 else ""
        literals = tuple(place for place in range(first, last + 1) if first >= 0 and self.is_folded(place))
        steady, unit = is_steady(node, self.type_of), unit_of(node, self.type_of)
        return Term(self.canonical(node), raw, first, last, None, tuple(parts), literals, steady, self.bound(node), unit)

    def _is_written_at(self, node: exp.Expr, first: int, last: int) -> bool:
        """Whether these tokens, read alone, are the expression: a place that is found wrongly is as good as none."""
        start, end = self._printed.tokens[first][0], self._printed.tokens[last][1]
        try:
            return bool(sqlglot.parse_one(self._text[start:end], read=_DIALECT) == node)
        except SqlglotError:
            return False

    def span(self, node: exp.Expr) -> tuple[int, int]:
        """The tokens of an expression where they are known: of columns, calls, EXTRACT and comparisons with literals; else -1."""
        if isinstance(node, exp.Column):
            return self._column_span(node)
        if isinstance(node, exp.Extract):
            column = node.find(exp.Column)
            first = self._column_span(column)[0] - 4 if column is not None else -1
            known = first >= 0 and self._words[first].upper() == "EXTRACT" and self._words[first + 1] == "("
            return (first, self.closing(first + 1)) if known else (-1, -1)
        if isinstance(node, _COMPARISONS):
            return self._comparison(node)
        if isinstance(node, exp.And | exp.Or):
            return _hull(self.span(node.this), self.span(node.expression))
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod):
            return _hull(self._side(node.this), self._side(node.expression))
        if isinstance(node, exp.Cast):
            return self._cast(node)
        if isinstance(node, exp.Is | exp.Not):
            return self._null_test(node)
        if isinstance(node, exp.Func):
            first = self.token_at(node.meta.get("start"))
            if first < 0:
                first = self._before_arguments(node)
            if first >= 0 and self._words[first + 1 : first + 2] == ("(",):
                return first, self.closing(first + 1)
        return -1, -1

    def _before_arguments(self, node: exp.Func) -> int:
        """The name of a call whose place the parser does not tell, found by its first argument; -1 if it is not there."""
        leaves = [leaf.meta["start"] for leaf in node.walk() if "start" in leaf.meta]
        place = self.token_at(min(leaves, default=None)) - 1
        if place > 0 and self._words[place].upper() == "DISTINCT":
            place -= 1
        if place > 1 and self._words[place].upper() == "WHEN" and self._words[place - 1].upper() == "CASE":
            place -= 2
        if place < 1 or self._words[place] != "(":
            return -1
        return place - 1 if self._words[place - 1].upper() in type(node).sql_names() else -1

    def closing(self, opening: int) -> int:
        """The token that closes the parenthesis that this one opens."""
        depth = 0
        for place in range(opening, len(self._words)):
            word = self._words[place]
            depth += (word == "(") - (word == ")")
            if depth == 0:
                return place
        return len(self._words) - 1

    def raw(self, first: int, last: int, parts: list[Term]) -> str:
        """The user's own text of some tokens with canonical column names; empty if a column's place is not known."""
        columns = sorted(_leaves(parts), key=lambda leaf: leaf.first)
        pieces, position = [], self._printed.tokens[first][0]
        for leaf in columns:
            if not first <= leaf.first <= leaf.last <= last:
                return ""
            pieces += [self._text[position : self._printed.tokens[leaf.first][0]], leaf.text]
            position = self._printed.tokens[leaf.last][1]
        pieces.append(self._text[position : self._printed.tokens[last][1]])
        return "".join(pieces)

    def canonical(self, node: exp.Expr) -> str:
        """The expression with canonical column names, in the parser's own spelling."""
        if node.find(exp.Query):
            return self._printer.generate(node) + WITH_QUERY
        bare = node.copy()
        for original, column in zip(list(node.find_all(exp.Column)), list(bare.find_all(exp.Column)), strict=True):
            found = self._resolve(original)
            if found is None:
                continue
            table, name = (exp.Identifier(this=one, quoted=True) for one in found)
            named = exp.Column(this=name, table=table)
            if column is bare:
                bare = named
            else:
                column.replace(named)
        return self._printer.generate(_turned(bare), copy=False)

    def is_folded(self, place: int) -> bool:
        """Whether a token may be another one in another statement of the template."""
        word = self._words[place]
        return word[0].isdigit() or (len(word) > 1 and word[0] in "'(.")

    def _column_span(self, node: exp.Expr) -> tuple[int, int]:
        parts = node.parts if isinstance(node, exp.Column) else []
        places = [self.token_at(part.meta.get("start")) for part in parts]
        if not places or -1 in places or places != sorted(places):
            return -1, -1
        return places[0], places[-1]

    def column(self, node: exp.Column) -> ColumnOf | None:
        """The column of the block that a name means; None for anything else."""
        return self._resolve(node)

    def type_of(self, node: exp.Column) -> str:
        """The type of a column of the block, upper-case; empty for anything else."""
        column = self._resolve(node)
        return self._types.get(column, "") if column is not None else ""

    def bound(self, node: exp.Expr) -> Bound | None:
        """What a comparison with literals says of a column."""
        match node:
            case exp.Between() if not node.args.get("symmetric"):
                column, values, operator = node.this, [node.args["low"], node.args["high"]], "between"
            case exp.In() if node.args.get("expressions"):
                column, values, operator = node.this, list(node.args["expressions"]), "in"
            case exp.EQ() | exp.LT() | exp.LTE() | exp.GT() | exp.GTE():
                pair = _OPERATORS[type(node)]
                swapped = isinstance(node.expression, exp.Column)
                column, values = (node.expression, [node.this]) if swapped else (node.this, [node.expression])
                operator = pair[1] if swapped else pair[0]
            case _:
                return None
        found = self._resolve(column) if isinstance(column, exp.Column) else None
        kinds = {_kind_of_literal(value) for value in values}
        if found is None or len(kinds) != 1 or "" in kinds:
            return None
        tokens = [(self._list(node),) * 2] if isinstance(node, exp.In) else [self.literal(value) for value in values]
        if any(first < 0 for first, _ in tokens):
            return None
        kind = kinds.pop()
        if kind == "text":
            kind = {"VARCHAR": "text", "DATE": "date", "TIMESTAMP": "timestamp"}.get(self._types.get(found, ""), "")
        # The word DATE or TIMESTAMP before a literal is no part of it.
        places = tuple((last, last) if kind in ("date", "timestamp") and operator != "in" else (first, last) for first, last in tokens)
        return Bound(found, operator, places, kind) if kind else None

    def _side(self, node: exp.Expr) -> tuple[int, int]:
        """The tokens of one side of a comparison."""
        is_literal = isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal)
        if isinstance(node, exp.Column | exp.Func | exp.Add | exp.Sub | exp.Mul | exp.Mod) and not is_literal:
            return self.span(node)
        if isinstance(node, exp.Boolean):
            return self._beside(node)
        return self.literal(node)

    def _beside(self, node: exp.Boolean) -> tuple[int, int]:
        """TRUE or FALSE behind the column that it is compared with."""
        compared = isinstance(node.parent, exp.EQ | exp.NEQ) and node.parent.expression is node
        other = node.parent.this if compared and node.parent is not None else None
        _, last = self._column_span(other) if isinstance(other, exp.Column) else (-1, -1)
        place = last + 2
        found = last >= 0 and place < len(self._words) and self._words[place].upper() == str(node.this).upper()
        return (place, place) if found else (-1, -1)

    def literal(self, node: exp.Expr) -> tuple[int, int]:
        """The tokens of a literal, of a negative one, and of a day with the word DATE before it; -1 for anything else."""
        if isinstance(node, exp.Literal):
            place = self.token_at(node.meta.get("start"))
            return place, place
        if isinstance(node, exp.Cast | exp.Neg) and isinstance(node.this, exp.Literal):
            place = self.token_at(node.this.meta.get("start"))
            before = "-" if isinstance(node, exp.Neg) else node.to.sql("duckdb").upper()
            if place > 0 and before in ("-", "DATE", "TIMESTAMP") and self._words[place - 1].upper() == before:
                return place - 1, place
        return -1, -1

    def _list(self, node: exp.In) -> int:
        """The token that a list of literals is folded into, or -1."""
        place = bisect_right(self._starts, node.expressions[0].meta.get("start", -1)) - 1
        return place if place >= 0 and self._words[place][0] == "(" and len(self._words[place]) > 1 else -1

    def _comparison(self, node: exp.Expr) -> tuple[int, int]:
        match node:
            case exp.Between():
                sides = [self._side(node.this), self._side(node.args["low"]), self._side(node.args["high"])]
            case exp.In() if node.args.get("expressions"):
                place = self._list(node)
                sides = [self._side(node.this), (place, place)]
            case _:
                sides = [self._side(node.this), self._side(node.expression)]
        return _hull(*sides)

    def _cast(self, node: exp.Cast) -> tuple[int, int]:
        """A cast of a column to a type of one word, in either spelling."""
        if not isinstance(node.this, exp.Column):
            return -1, -1
        first, last = self._column_span(node.this)
        kind = node.to.sql("duckdb").upper()
        if first >= 0 and [word.upper() for word in self._words[last + 1 : last + 3]] == ["::", kind]:
            return first, last + 2
        if first > 1 and self._words[first - 2].upper() in ("CAST", "TRY_CAST") and self._words[first - 1] == "(":
            return first - 2, self.closing(first - 1)
        return -1, -1

    def _null_test(self, node: exp.Expr) -> tuple[int, int]:
        """IS NULL or IS NOT NULL behind a column."""
        test = node.this if isinstance(node, exp.Not) else node
        if not isinstance(test, exp.Is) or not isinstance(test.this, exp.Column) or not isinstance(test.expression, exp.Null):
            return -1, -1
        first, last = self._column_span(test.this)
        wanted = ["IS", "NOT", "NULL"] if isinstance(node, exp.Not) else ["IS", "NULL"]
        found = [word.upper() for word in self._words[last + 1 : last + 1 + len(wanted)]]
        return (first, last + len(wanted)) if first >= 0 and found == wanted else (-1, -1)


def _hull(*spans: tuple[int, int]) -> tuple[int, int]:
    """From the first to the last token of several spans; -1 if one is not known."""
    if any(first < 0 for first, _ in spans):
        return -1, -1
    return min(first for first, _ in spans), max(last for _, last in spans)


def _kind_of_literal(node: exp.Expr) -> str:
    if isinstance(node, exp.Cast) and isinstance(node.this, exp.Literal) and node.this.is_string:
        return {"DATE": "date", "TIMESTAMP": "timestamp"}.get(node.to.sql("duckdb").upper(), "")
    if isinstance(node, exp.Neg):
        return "number" if isinstance(node.this, exp.Literal) and not node.this.is_string else ""
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    return ""


def _turned(node: exp.Expr) -> exp.Expr:
    """A comparison with the column on its left side."""
    turned = {exp.LT: exp.GT, exp.GT: exp.LT, exp.LTE: exp.GTE, exp.GTE: exp.LTE, exp.EQ: exp.EQ}.get(type(node))  # type: ignore[arg-type]
    if turned is None or isinstance(node.this, exp.Column) or not isinstance(node.expression, exp.Column):
        return node
    return turned(this=node.expression.copy(), expression=node.this.copy())


def _leaves(parts: list[Term]) -> list[Term]:
    found = []
    for part in parts:
        found += [part] if part.column is not None else _leaves(list(part.parts))
    return found


def _children(node: exp.Expr) -> list[exp.Expr]:
    """What an expression consists of; queries inside it are for themselves."""
    return [child for child in node.iter_expressions() if isinstance(child, exp.Expr) and not isinstance(child, exp.Query)]
