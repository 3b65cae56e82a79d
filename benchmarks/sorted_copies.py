"""What an expert may use against Sartor: sorted copies of tables, and queries rewritten by hand to read them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from benchmarks.statement import BenchmarkError, Statement, Suite

DESIGN_FILE = "expert.json"
HAND_FILE = "expert.sql"
_TARGET = re.compile(r'^\s*(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+("?\w+"?)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SortedCopy:
    """A copy of a table in another order.

    Attributes:
        keys: what it is sorted by.
        columns: what it holds; empty for all columns.
    """

    table: str
    keys: tuple[str, ...]
    columns: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """
        >>> SortedCopy("items", ("product_id", "shipped")).name
        'expert_items_by_product_id_shipped'
        """
        return "_".join(["expert", self.table, "by", *self.keys])

    @property
    def select(self) -> str:
        columns = ", ".join(f'"{column}"' for column in self.columns) or "*"
        return f'SELECT {columns} FROM "{self.table}"'

    @property
    def create(self) -> str:
        """
        >>> SortedCopy("t", ("b",), ("a", "b")).create
        'CREATE TABLE "expert_t_by_b" AS SELECT "a", "b" FROM "t" ORDER BY "b"'
        """
        order = ", ".join(f'"{key}"' for key in self.keys)
        return f'CREATE TABLE "{self.name}" AS {self.select} ORDER BY {order}'


Variant = tuple[SortedCopy, ...]


def read_hand_made(suite: Suite) -> tuple[SortedCopy, ...]:
    """The design kept as SQL: `CREATE TABLE … AS SELECT columns FROM table ORDER BY keys`, one statement a copy."""
    path = suite.folder / HAND_FILE
    if not path.exists():
        return ()
    copies = []
    for tree in sqlglot.parse(path.read_text(), dialect="duckdb"):
        if tree is None or isinstance(tree, exp.Semicolon):
            continue
        query = tree.expression if isinstance(tree, exp.Create) else None
        order = query.args.get("order") if isinstance(query, exp.Select) else None
        table = query.find(exp.Table) if query is not None else None
        if order is None or table is None or query is None:
            raise BenchmarkError(f"{path}: write each copy as CREATE TABLE … AS SELECT … FROM … ORDER BY …")
        keys = tuple(key.this.name for key in order.expressions)
        columns = () if query.is_star else tuple(column.name for column in query.selects)
        copies.append(SortedCopy(table.name, keys, columns))
    return tuple(copies)


def read_design(suite: Suite) -> tuple[SortedCopy, ...]:
    """The copies that the search chose, or those made by hand if nothing was searched yet."""
    path = suite.folder / DESIGN_FILE
    if not path.exists():
        return read_hand_made(suite)
    document = json.loads(path.read_text())
    return tuple(SortedCopy(copy["table"], tuple(copy["keys"]), tuple(copy["columns"])) for copy in document["copies"])


@dataclass(frozen=True, slots=True)
class Mention:
    """A table in a statement: its name, the place of the name in the text, and whether it has an alias."""

    table: str
    start: int
    end: int
    aliased: bool


@lru_cache(maxsize=65536)
def mentions(text: str) -> tuple[Mention, ...]:
    """The tables that a query reads by a bare name, in the order of the text; empty for what is not understood."""
    try:
        tree = sqlglot.parse_one(text, dialect="duckdb")
    except SqlglotError:
        return ()
    defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    found = []
    for table in tree.find_all(exp.Table):
        place = table.this.meta if isinstance(table.this, exp.Identifier) else {}
        if table.args.get("db") or "start" not in place or table.name.lower() in defined:
            continue
        found.append(Mention(table.name.lower(), place["start"], place["end"] + 1, bool(table.alias)))
    return tuple(sorted(found, key=lambda mention: mention.start))


def rewritten(text: str, variant: Variant) -> str:
    """The query with each table of the variant replaced by its copy.

    >>> copy = SortedCopy("items", ("product_id",))
    >>> rewritten("SELECT items.price FROM items WHERE product_id = 5", (copy,))
    'SELECT items.price FROM "expert_items_by_product_id" AS items WHERE product_id = 5'
    """
    if not variant:
        return text
    names = {copy.table.lower(): copy.name for copy in variant}
    parts, position = [], 0
    for mention in mentions(text):
        name = names.get(mention.table)
        if name is None:
            continue
        original = text[mention.start : mention.end]
        parts += [text[position : mention.start], f'"{name}"' + ("" if mention.aliased else f" AS {original}")]
        position = mention.end
    return "".join(parts) + text[position:]


def variants(text: str, copies: Sequence[SortedCopy]) -> Iterator[Variant]:
    """The single copies that a query could read instead of a table of it."""
    tables = {mention.table for mention in mentions(text)}
    for copy in copies:
        if copy.table.lower() in tables:
            yield (copy,)


def single_writes(text: str) -> tuple[str, ...]:
    """The statements of a text that may hold several.

    >>> single_writes("INSERT INTO t VALUES (';'); DELETE FROM t")
    ("INSERT INTO t VALUES (';')", 'DELETE FROM t')
    """
    return tuple(statement.query.strip().rstrip(";").rstrip() for statement in duckdb.extract_statements(text))


def write_target(text: str) -> tuple[str, str]:
    """What a write does and to which table; both empty for what is not one write to one table.

    >>> write_target("INSERT INTO items VALUES (1)"), write_target("DELETE FROM items WHERE id = 1")
    (('insert', 'items'), ('delete', 'items'))
    """
    match = _TARGET.match(text)
    if match is None:
        return "", ""
    return match[1].split()[0].lower(), match[2].strip('"').lower()


def mirrored(text: str, copy: SortedCopy) -> str:
    """An UPDATE or DELETE of a table as one of its copy."""
    match = _TARGET.match(text)
    if match is None:
        raise BenchmarkError(f"can not mirror on a copy: {text}")
    return f'{text[: match.start(2)]}"{copy.name}"{text[match.end(2) :]}'


def mentioned_columns(statements: Sequence[Statement], table: str, columns: Sequence[str]) -> tuple[str, ...]:
    """The columns of a table whose names occur in statements over it; all of them where one selects `*`."""
    needed: set[str] = set()
    for text in {single for one in statements for single in (single_writes(one.text) if one.writes else (one.text,))}:
        kind, target = write_target(text)
        if kind == "insert" or (target != table and all(mention.table != table for mention in mentions(text))):
            continue
        needed |= {word.lower() for word in re.findall(r"\w+", text)}
        if _selects_all(text):
            return tuple(columns)
    return tuple(column for column in columns if column.lower() in needed)


def _selects_all(text: str) -> bool:
    words = re.findall(r"\w+\(|[\w.]+|\S", text)
    return any(after == "*" and before.lower() in ("select", ",", "distinct") for before, after in pairwise(words)) or (".*" in text)
