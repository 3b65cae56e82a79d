"""Planted defects of look-ups: each is a mistake that the fuzzer exists to find."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components.point_lookup import content, serve
from sartor.freshness import held
from sartor.freshness.usable import Use, use
from sartor.interfaces import results, serving
from sartor.interfaces.database import Database
from tests.fuzz.defects import always, never, patched


def _whole(derived: Any, state: Any) -> Use:
    return Use.WHOLE


def _whole_if_appended(derived: Any, state: Any) -> Use:
    how = use(derived, state)
    return Use.WHOLE if how is Use.RESIDUAL else how


def _same(self: Any, rows: Any) -> Any:
    return self


def _without_nulls(column: Any, read: Any) -> Any:
    return read


_places = content.Part.places
_find = content.Content.find
_refreshed = held.refreshed


def _first_only(self: Any, key: Any, column: int) -> range:
    return _places(self, key, column)[:1]


def _by_key(self: Any, keys: Any, columns: Any) -> Any:
    return [row for key in keys for row in _find(self, [key], columns)]


def _anything(kind: str) -> Callable[[Any], bool]:
    return lambda value: value is not None


def _as_appended(engine: Any, registry: Any, holder: Any, derived: Any) -> Any:
    """After whatever change only the rows behind the last one are read."""
    if derived.content is None:
        return _refreshed(engine, registry, holder, derived)
    with mock.patch.object(held, "use", return_value=Use.RESIDUAL):
        state = registry.state
        name = derived.action.source.name.lower()
        known = derived.covering(replace(derived.coverage, dense=True, mutations=state.mutations(name)))
        return _refreshed(engine, registry, holder, known)


def _same_counts(tables: Any, state: Any) -> Any:
    return tuple((0, 0) for _ in tables)


def _value_alone(parameters: Any) -> object:
    return tuple(parameters or ())


_tables_read = Database.tables_read


def _first_table(self: Any, known: Any) -> Any:
    found = _tables_read(self, known)
    return found and frozenset(sorted(found, key=str)[:1])


DEFECTS: dict[str, Callable[[], Any]] = {
    "look up what is not current": patched(mock.patch.object(serving, "use", _whole)),
    "look up without what was appended": patched(mock.patch.object(serving, "use", _whole_if_appended)),
    "forget the rows that came behind": patched(mock.patch.object(content.Content, "extended", _same)),
    "take NULL for a value": patched(mock.patch.object(content, "_with_nulls", _without_nulls)),
    "look up one row of a key": patched(mock.patch.object(content.Part, "places", _first_only)),
    "look up in the order of the keys": patched(mock.patch.object(content.Content, "find", _by_key)),
    "read only what came behind after a change": patched(mock.patch.object(held, "refreshed", _as_appended)),
    "look up what has to be cast": patched(mock.patch.object(serve, "key_test", _anything)),
    "forget temporary tables in look-ups": patched(mock.patch("sartor.interfaces.session.Session.shadow_all", never)),
    "do not look for unseen writes in look-ups": patched(mock.patch("sartor.freshness.watch.Watch.accounts_for", always)),
    "keep results whatever is written": patched(mock.patch.object(results, "counts", _same_counts)),
    "keep results by the value of parameters": patched(mock.patch.object(results, "parameters_key", _value_alone)),
    "keep results until the first table changes": patched(mock.patch.object(Database, "tables_read", _first_table)),
    "give nothing back to DuckDB": patched(
        mock.patch("sartor.interfaces.connection.give_back", never), mock.patch("sartor.interfaces.sending.give_back", never)
    ),
}
