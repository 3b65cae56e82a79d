"""Planted defects of remembered row ids: each is a mistake that the fuzzer exists to find."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components.predicate_cache import apply, propose, serve
from sartor.freshness import row_ranges
from sartor.interfaces import predicates
from sartor.sql import restriction
from tests.fuzz.defects import always, never, patched

_condition = serve.condition
_ranges = apply.ranges
_remembered = propose.remembered
_key = predicates._key
_find = row_ranges.find


def _without_what_came(ranges: Any, high_water: int) -> str:
    return _condition(ranges, high_water).replace(f"rowid > {high_water}", "false")


def _off_by_one(ranges: Any, high_water: int) -> str:
    return _condition(ranges, high_water + 1)


def _no_last_range(first: Any, last: Any) -> Any:
    return _ranges(first, last)[:-1] if len(first) else ()


def _narrow(first: Any, last: Any) -> Any:
    return tuple((low, high - 1) for low, high in _ranges(first, last))


def _nothing_strict(*arguments: Any) -> Any:
    return replace(_remembered(*arguments), strict=frozenset())


def _no_others(source: Any, alias: str, text: str, others: Any) -> Any:
    return _remembered(source, alias, text, ())


def _without_literals(candidate: Any, text: str, values: Any) -> Any:
    return _key(candidate, re.sub(r"\d+", "?", text), values)


def _without_values(candidate: Any, text: str, values: Any) -> Any:
    return _key(candidate, text, ())


def _by_spelling(candidate: Any, text: str, values: Any) -> Any:
    return _key(candidate, text, tuple(map(str, values)))


def _all_places(self: Any, select: Any, places: Any) -> Any:
    return places


def _whatever(self: Any, place: int, tables: Any) -> bool:
    return self._analysis.references[place].refusal is None


def _as_if_none_was_lost(*arguments: Any) -> Any:
    found = _find(*arguments)
    return found.covering(replace(found.coverage, dense=True), *found.others)


def _as_spelled(self: Any, first: int, last: int) -> bool:
    return False


_held = row_ranges.hold


def _once_and_for_all() -> Callable[[Any, Any], bool]:
    """What held once does, however often it is looked at."""
    seen: set[int] = set()

    def hold(derived: Any, state: Any) -> bool:
        if _held(derived, state):
            seen.add(id(derived.content))
        return id(derived.content) in seen

    return hold


DEFECTS: dict[str, Callable[[], Any]] = {
    "leave out what came behind": patched(mock.patch.object(serve, "condition", _without_what_came)),
    "off by one behind the last row": patched(mock.patch.object(serve, "condition", _off_by_one)),
    "lose the last range": patched(mock.patch.object(apply, "ranges", _no_last_range)),
    "lose the last row of a range": patched(mock.patch.object(apply, "ranges", _narrow)),
    "row ids hold whatever is written": patched(mock.patch.object(predicates, "hold", _once_and_for_all())),
    "another table of the condition may grow": patched(mock.patch.object(propose, "remembered", _nothing_strict)),
    "another table of the condition may change": patched(mock.patch.object(propose, "remembered", _no_others)),
    "rows never move": patched(mock.patch.object(apply, "find", _as_if_none_was_lost)),
    "forget the literals of a condition": patched(mock.patch.object(predicates, "_key", _without_literals)),
    "forget the values of a condition": patched(mock.patch.object(predicates, "_key", _without_values)),
    "take values of other types for the same": patched(mock.patch.object(predicates, "_key", _by_spelling)),
    "leave out rows on the other side of an outer join": patched(mock.patch.object(restriction._Search, "_kept", _all_places)),
    "leave out rows of a table that is read twice": patched(mock.patch.object(restriction._Search, "_may_be_left_out", _whatever)),
    "take the name of a query for a table": patched(mock.patch.object(restriction._Search, "_names_a_query", _as_spelled)),
    "forget temporary tables in conditions": patched(mock.patch("sartor.interfaces.session.Session.shadow_all", never)),
    "do not look for unseen writes in conditions": patched(mock.patch("sartor.freshness.watch.Watch.accounts_for", always)),
}
