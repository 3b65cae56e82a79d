"""Planted defects in views: each is one of the mistakes that the fuzzer exists to find, and is found when switched on alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components import views
from sartor.components.views import apply, mend, reach, serve
from sartor.components.views.apply import definition
from sartor.core.table import Inclusion, quote
from sartor.core.view import ROWS, key_column
from sartor.freshness import changes, facts, inclusions, usable
from sartor.freshness import mend as freshness_mend
from sartor.freshness.changes import SIGN
from sartor.freshness.usable import Use, use
from sartor.interfaces import serving, tailoring, told
from sartor.interfaces.database import Database
from sartor.sql.algebra import select, statement
from sartor.sql.date_parts import TELLS
from sartor.sql.matching import aggregates, aligned, coarser, conditions, lossless, match, pivots, placed, states, whole
from sartor.sql.matching.found import Part, Same, Within
from sartor.sql.rewrite import Splice
from sartor.sql.total_order import Totality
from tests.fuzz.defects import DEFECTS as COPY_DEFECTS


def _everything_old(derived: Any, place: int, row: str) -> str:
    return "TRUE"


_residual, _content = apply._residual, apply.content
_now, _delta, _merged, _find = mend._now, mend._delta, mend._merged, freshness_mend.find
_corrections, _moves = apply.corrections, mend.moves
_missing = inclusions._missing
_same_join = match.same_join
_put_call, _rows_of, _holds, _moment = aggregates.put_call, states.rows_of, match.holds, aggregates.moment


def _first_moved_only(derived: Any, view: Any, keys: Any, kept: Any, moved: frozenset[int], *others: Any) -> str:
    return _residual(derived, view, keys, kept, frozenset(sorted(moved)[:1]), *others)


def _ignore_others(derived: Any, state: Any) -> Use:
    """Mutations of the joined tables do not count."""
    how = usable._use_of(derived.action.source, derived.coverage, state)
    if how is Use.NO or use(derived, state) is not Use.NO:
        return use(derived, state)
    return Use.WHOLE if not usable.moved(derived, state) - _mutated(derived, state) else Use.RESIDUAL


def _mutated(derived: Any, state: Any) -> frozenset[int]:
    pairs = enumerate(zip(derived.action.sources, derived.coverages, strict=True))
    return frozenset(place for place, (source, coverage) in pairs if usable._use_of(source, coverage, state) is Use.NO)


def _appends_on_either_side(derived: Any, state: Any) -> Use:
    """What is appended to the side of a LEFT JOIN that may be empty is taken for a mere append."""
    return use(replace(derived, action=replace(derived.action, strict=frozenset())), state)


def _by_any(table: str, pairs: Any, block: Any, view: Any) -> Inclusion:
    """Any table more is taken for one that a declared foreign key names."""
    return Inclusion(view.tables[0], view.tables[view.names.index(table)], ())


def _average_of_averages(call: Any, block: Any, view: Any, columns: Any, found: Any) -> None:
    if call.function != "avg" or call.pivot is not None or call.condition is not None or call.distinct:
        return _put_call(call, block, view, columns, found)
    total = states.state("sum", call.argument, view, columns, found)
    counted = _rows_of(call.argument, view, columns, found, nullable=call.nullable)
    found.splices.append(Splice(call.first, call.end, f"avg(CAST({total} AS DOUBLE) / {counted})"))
    return None


def _null_for_no_rows(call: Any, block: Any, view: Any, columns: Any, found: Any) -> None:
    if call.function != "count" or call.pivot is not None or call.condition is not None or call.distinct:
        return _put_call(call, block, view, columns, found)
    counted = _rows_of(call.argument, view, columns, found, nullable=call.nullable)
    found.splices.append(Splice(call.first, call.end, f"CAST(sum({counted}) AS BIGINT)"))
    return None


def _lose_null_groups(derived: Any, keys: Any, *others: Any) -> str:
    rows = _content(derived, keys, *others)
    return f"(SELECT * FROM {rows} AS r WHERE {key_column(keys[0])} IS NOT NULL)" if keys else rows


def _any_literals(block: Any, *others: Any) -> None:
    """Whatever literals ON of a LEFT JOIN holds, the view is taken."""
    _same_join(replace(block, outer=tuple(replace(join, literals=()) for join in block.outer)), *others)


def _no_counts(used: Any, state: Any) -> tuple[()]:
    """Whatever was written, what is told is of now."""
    return ()


def _without_last(query: Any) -> Any:
    """What rows appended to one of the tables add is forgotten."""
    return lambda derived, moved: query(derived, frozenset(sorted(moved)[:1]))


def _no_same(guard: Any, words: Any) -> bool:
    return isinstance(guard, Same) or _holds(guard, words)


def _no_within(guard: Any, words: Any) -> bool:
    return isinstance(guard, Within) or _holds(guard, words)


def _always(*arguments: Any, **named: Any) -> bool:
    return True


def _nowhere(*arguments: Any, **named: Any) -> bool:
    return False


def _count_all_rows(argument: Any, view: Any, columns: Any, found: Any, *, nullable: bool) -> str:
    return _rows_of(None, view, columns, found, nullable=False)


def _any_join(block: Any, view: Any, columns: Any, found: Any) -> None:
    """Which equalities a view's join holds does not matter."""
    if frozenset(block.sources) != frozenset(view.tables):
        raise match.Differs("it joins other tables")


def _drop_equalities(block: Any, columns: Any, found: Any, view: Any) -> None:
    """Equalities that only the statement asks for are taken as held."""
    for one in block.equalities:
        if one.first >= 0 and not block.from_[0] <= one.first <= block.from_[1]:
            found.splices.append(Splice(one.first, one.last, "TRUE"))


def _all_keys(block: Any, view: Any, columns: Any) -> set[int]:
    return set(range(len(view.keys)))


def _nothing_moves(*arguments: Any) -> str:
    return f"SELECT * FROM ({_corrections(*arguments)}) WHERE FALSE"


def _nothing_moved(*arguments: Any) -> str:
    return f"SELECT * FROM ({_moves(*arguments)}) WHERE FALSE"


def _as_built(coverage: Any) -> Any:
    return replace(coverage, appends=0, mutations=0)


def _trust_others(derived: Any, appends: int, mutations: int) -> Any:
    first = replace(derived.coverage, appends=appends, mutations=mutations)
    return derived.covering(first, *map(_as_built, derived.others))


def _sums_stay(state: Any, name: str, exact: bool) -> tuple[str, str]:
    """A sum that becomes 0 because only NULLs are left stays 0."""
    value, again = _now(state, name, exact)
    return (value, "FALSE") if state.function == "sum" else (value, again)


def _extremes_stay(state: Any, name: str, exact: bool) -> tuple[str, str]:
    """The least or the greatest value is kept though its row is gone."""
    value, again = _now(state, name, exact)
    return (value, "FALSE") if state.function in ("min", "max") else (value, again)


def _with_present_rows(view: Any, changes: Any) -> str:
    """All tables are taken as they are now."""
    return _delta(view, {place: replace(change, former=_present(view, place)) for place, change in changes.items()})


def _present(view: Any, place: int) -> Any:
    return lambda columns: f"SELECT {''.join(f'{quote(one)}, ' for one in columns)}1::TINYINT AS {SIGN} FROM {view.tables[place]}"


def _forget_updates(engine: Any, copy: Any, now: Any, updated: Any) -> Any:
    return _find(engine, copy, now, frozenset())


def _first_sign(view: Any, changes: Any) -> str:
    """Of joined rows the first one's sign is taken for the sign of all."""
    return re.sub(rf"({SIGN})( \* \S+\.{SIGN})+ AS", r"\1 AS", _delta(view, changes))


def _groups_stay(view: Any, held: str, changes: Any) -> str:
    """A group that has lost all of its rows keeps one."""
    return f"SELECT * REPLACE (greatest({ROWS}, 1) AS {ROWS}) FROM ({_merged(view, held, changes)})"


def _null_is_no_key(keys: Any, one: str, other: str) -> str:
    return " AND ".join(f"{one}.{key} = {other}.{key}" for key in keys) or "TRUE"


def _of_any_moment(one: Any, other: Any) -> bool:
    """Changes of a table tell whatever was made of it, whenever that was."""
    return True


def _one_value_varies(function: str, parts: Any, scale: int) -> Any:
    """The variance of a sample of one row is 0."""
    return ("CASE WHEN ", *parts[0], " = 1 THEN 0.0::DOUBLE ELSE ", *_moment(function, parts, scale), " END")


def _of_samples(function: str, parts: Any, scale: int) -> Any:
    """A population is taken for a sample of one."""
    return _moment(function.replace("_pop", "_samp"), parts, scale)


def _without_scale(function: str, parts: Any, scale: int) -> Any:
    """Decimals are taken for the whole numbers of their last digits."""
    return _moment(function, [parts[0], ("(", *parts[1], f") * {10**scale}"), parts[2]], 0)


def _squares_stay(state: Any, name: str, exact: bool) -> tuple[str, str]:
    """The squares of rows gone are still in the sum of squares."""
    if not state.text.endswith(" squared"):
        return _now(state, name, exact)
    return f"coalesce(f.{name}, 0) + coalesce(d.came_{name}, 0) AS {name}", "FALSE"


def _part_of_nothing(name: str, stored: str, row: str) -> Any:
    """Rows appended since have no part of a date."""
    return Part(name, stored, f"nullif({row}, {row})")


def _nothing_new(derived: Any, place: int, row: str) -> str:
    return "FALSE"


def _past_its_rows(fact: Any, rest: Any, derived: Any, state: Any) -> bool:
    """What was found of the first rows is taken to hold for all that a view covers."""
    return fact is not None and use(fact, state) is not Use.NO


def _null_is_included(child: str, action: Any, columns: Any, keys: Any, condition: str) -> str:
    return _missing(child, action, columns, keys, condition + "".join(f"child.{quote(one)} IS NOT NULL AND " for one in columns))


def _with_all_tables(view: Any, without: Any) -> Any:
    return view


def _total(*arguments: Any) -> Totality:
    return Totality(True)


def _patched(*patches: tuple[Any, str, Any]) -> Callable[[], Any]:
    caches = (serve.matched, definition, coarser.finer_key)

    @contextmanager
    def plant() -> Iterator[None]:
        with ExitStack() as stack:
            for target, name, replacement in patches:
                stack.enter_context(mock.patch.object(target, name, replacement))
            for cache in caches:
                cache.cache_clear()
            try:
                yield
            finally:
                for cache in caches:
                    cache.cache_clear()

    return plant


_WEEKS = {**TELLS, "week": frozenset(("week", "month", "quarter", "year"))}
_MONTHS = {**TELLS, "month": TELLS["month"] | {"week"}, "week": TELLS["week"] | {"day"}}

DEFECTS: dict[str, Callable[[], Any]] = {
    "take any literals of a LEFT JOIN": _patched((match, "same_join", _any_literals)),
    "hand over the values of another statement": COPY_DEFECTS["hand over the values of another statement"],
    "hand values to another statement's text": COPY_DEFECTS["hand values to another statement's text"],
    "rule appended rows out by any condition": COPY_DEFECTS["rule appended rows out by any condition"],
    "tell what was appended before the last write": _patched((told, "settled", _no_counts)),
    "tell what was appended to one table alone": _patched((views, "appended_query", _without_last(apply.appended_query))),
    "telescope with all rows of the other tables": _patched((apply, "covered_before", _everything_old)),
    "residual of the first moved table only": _patched((apply, "_residual", _first_moved_only)),
    "take nothing for within reach of appended rows": _patched((reach, "appended_since", _nothing_new)),
    "ignore mutations of a joined table": _patched((serving, "use", _ignore_others)),
    "take appends below a LEFT JOIN for mere appends": _patched((serving, "use", _appends_on_either_side)),
    "take any table more for lossless": _patched((lossless, "_by_which", _by_any)),
    "believe an inclusion past the rows that it was found of": _patched((serving, "is_lossless", _past_its_rows)),
    "take NULL keys for included": _patched((inclusions, "_missing", _null_is_included)),
    "take any key of a parent for one": _patched((inclusions, "_is_key", _always)),
    "join appended rows with tables that are not read": _patched((apply, "reduced", _with_all_tables)),
    "take columns for equal that only a table more equates": _patched((lossless, "_equates", _nowhere)),
    "average of averages": _patched((match, "put_call", _average_of_averages)),
    "NULL for a count of no rows": _patched((match, "put_call", _null_for_no_rows)),
    "lose the NULL group": _patched((serve, "content", _lose_null_groups)),
    "stale literal in a guard": _patched((serve, "holds", _no_same)),
    "take a condition of the view for implied": _patched((serve, "holds", _no_within)),
    "let last bits decide": _patched((select, "last_bits_decide", _nowhere), (statement, "last_bits_decide", _nowhere)),
    "do not look for ties": _patched((Database, "leaves_no_ties", _always)),
    "take for a key what is none": _patched(
        (facts, "_is_unique", _always), (facts, "_may_be_key", _always), (facts, "_is_unique_at_first", _always)
    ),
    "take an order by some key for one by all": _patched((statement, "totality", _total)),
    "count NULLs": _patched((aggregates, "rows_of", _count_all_rows), (pivots, "rows_of", _count_all_rows)),
    "hand out groups that come in several parts": _patched((serve, "_has_whole_groups", _always)),
    "hand out groups that are finer": _patched((whole, "determined", _all_keys)),
    "placed: add up what is counted in finer groups": _patched((placed, "determined", _all_keys)),
    "placed: take any condition for one that is open": _patched((placed, "_is_open", _always)),
    "aligned: take any day for the beginning of a month": _patched((match, "is_aligned", _always), (aligned, "is_aligned", _always)),
    "aligned: take any bound": _patched((aligned, "_OPERATORS", (">=", "<", ">", "<=", "="))),
    "date parts: the year of a week": _patched((coarser, "TELLS", _WEEKS)),
    "date parts: the week of a month, the day of a week": _patched((coarser, "TELLS", _MONTHS)),
    "date parts: appended rows have none": _patched((coarser, "Part", _part_of_nothing)),
    "variance: that of one row is 0": _patched((aggregates, "moment", _one_value_varies), (whole, "moment", _one_value_varies)),
    "variance: a population is a sample": _patched((aggregates, "moment", _of_samples), (whole, "moment", _of_samples)),
    "variance: decimals are whole numbers": _patched((aggregates, "moment", _without_scale), (whole, "moment", _without_scale)),
    "variance: NULLs count": _patched((states, "rows_of", _count_all_rows)),
    "mend: squares of rows gone stay": _patched((mend, "_now", _squares_stay)),
    "placed: values stay where they were": _patched((apply, "corrections", _nothing_moves)),
    "mend: values stay where they were": _patched((mend, "moves", _nothing_moved)),
    "any join over the same tables": _patched((match, "same_join", _any_join)),
    "drop an equality of the statement": _patched((conditions, "_put_equalities", _drop_equalities)),
    "mend: a sum of NULLs alone stays 0": _patched((mend, "_now", _sums_stay)),
    "mend: the least value outlives its row": _patched((mend, "_now", _extremes_stay)),
    "mend: join changes with the present alone": _patched((mend, "_delta", _with_present_rows)),
    "mend: rows that were updated are not looked for": _patched((freshness_mend, "find", _forget_updates)),
    "mend: signs of joined rows are not multiplied": _patched((mend, "_delta", _first_sign)),
    "mend: a group without rows stays": _patched((mend, "_merged", _groups_stay)),
    "mend: the group of NULL is not found": _patched((mend, "same_group", _null_is_no_key)),
    "mend: changes tell views of other moments": _patched((changes, "_is_one_moment", _of_any_moment)),
    "forget the coverage of joined tables after a reopen": _patched((tailoring.stored, "trusted", _trust_others)),
}
