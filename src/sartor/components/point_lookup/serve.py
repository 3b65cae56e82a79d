"""Which look-ups can be answered from memory, and their answers. Pure: no engine, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from sartor.core.action import Action
from sartor.core.analysis import Analysis, PointLookup
from sartor.core.derived import DerivedObject
from sartor.core.design import Alternative, Replacement
from sartor.sql.lookup import Asked, Parameter, asked

if TYPE_CHECKING:
    import pyarrow as pa

    from sartor.components.point_lookup.content import Row

_BITS = {"TINYINT": 7, "SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
_KEY_TYPES = {"VARCHAR": str, "DATE": date, **dict.fromkeys(_BITS, int)}


@dataclass(frozen=True, slots=True)
class Plan:
    """How statements of one text are answered from what an object holds.

    Attributes:
        asked: the values that the text names.
        places: of the parameters among them.
        columns: places of the columns that it hands out.
        is_key: whether a value is one that the key could hold, of just its type: what has to be cast is left to DuckDB.
    """

    asked: tuple[Asked, ...]
    places: frozenset[int | str]
    columns: tuple[int, ...]
    is_key: Callable[[Any], bool]

    def keys(self, parameters: Any) -> Sequence[Any] | None:
        """The values that are looked up; None if one of them has to be cast, or the parameters are not those of the text."""
        if parameters is None:
            given: dict[int | str, Any] = {}
        elif isinstance(parameters, dict):
            given = parameters
        elif isinstance(parameters, list | tuple):
            given = dict(enumerate(parameters))
        else:
            return None
        if given.keys() != self.places:
            return None
        found = [given[item.place] if isinstance(item, Parameter) else item for item in self.asked]
        return found if all(map(self.is_key, found)) else None

    def answer(self, derived: DerivedObject, parameters: Any) -> list[Row] | None:
        """The rows of a statement; None if it is not answered from memory."""
        keys = self.keys(parameters)
        return None if keys is None or derived.content is None else derived.content.find(keys, self.columns)


def alternatives(analysis: Analysis, objects: Sequence[DerivedObject]) -> Sequence[Alternative]:
    """The objects that hold what a look-up reads, those with fewest columns first."""
    lookup = analysis.lookup
    if lookup is None:
        return ()
    found = [item for item in objects if holds(item.action, lookup)]
    return tuple((Replacement(0, item.identifier),) for item in sorted(found, key=lambda one: len(one.action.get("columns"))))


def holds(action: Action, lookup: PointLookup) -> bool:
    """Whether what an action holds answers a look-up."""
    return (
        action.component == "point_lookup"
        and action.source == lookup.source
        and action.get("key") == (lookup.key,)
        and set(lookup.columns) <= set(action.get("columns"))
    )


def plan(action: Action, lookup: PointLookup, words: Sequence[str]) -> Plan | None:
    """How a text is answered by what an action holds; None if its values are not of the key's type.

    Args:
        words: the tokens of the text.
    """
    found = asked(words[lookup.first_token : lookup.last_token + 1])
    is_key = key_test(dict(action.get("schema"))[lookup.key])
    if found is None or is_key is None or not all(isinstance(item, Parameter) or is_key(item) for item in found):
        return None
    names = action.get("columns")
    places = frozenset(item.place for item in found if isinstance(item, Parameter))
    return Plan(found, places, tuple(names.index(column) for column in lookup.columns), is_key)


def find_all(derived: DerivedObject, columns: Sequence[str], keys: Any) -> pa.Table | None:
    """The rows of many keys, in the order in which these are given; None if a key is not of the type that is held.

    Args:
        columns: names of those that are held.
        keys: a list, a NumPy array or an Arrow array.
    """
    import pyarrow as pa

    from sartor.components.point_lookup.content import asked_keys

    held = derived.action.get("columns")
    wanted = asked_keys(keys, dict(derived.action.get("schema"))[derived.action.get("key")[0]])
    if wanted is None or derived.content is None:
        return None
    found = derived.content.find_all(wanted, [held.index(name) for name in columns])
    types = [pa.string() if pa.types.is_large_string(field.type) else field.type for field in found.schema]
    return found.cast(pa.schema(list(zip(columns, types, strict=True))))


def key_test(kind: str) -> Callable[[Any], bool] | None:
    """Whether a value is one that a key of this type could hold; None for types that are no keys here."""
    expected = _KEY_TYPES.get(kind)
    if expected is None:
        return None
    if expected is int:
        limit = 1 << _BITS[kind]
        return lambda value: type(value) is int and -limit <= value < limit
    return lambda value: type(value) is expected


def is_key_type(kind: str) -> bool:
    return kind in _KEY_TYPES
