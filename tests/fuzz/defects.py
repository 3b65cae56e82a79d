"""Planted defects: each is one of the mistakes that the fuzzer exists to find. Switched on one at a time, each must be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

from sartor.components.sort_keys import serve as copies
from sartor.core.analysis import RowOrder
from sartor.core.table import TableName
from sartor.freshness import facts, residual, usable
from sartor.freshness.extent import Extent
from sartor.freshness.usable import Use
from sartor.interfaces import extents, known, serving, tailoring
from sartor.interfaces.handing import Handing
from sartor.sql import total_order


def drop_the_residual(derived: Any, columns: Any, order: Any, how: Any, *only: Any) -> str:
    return residual.content(derived, columns, order, Use.WHOLE, *only)


def off_by_one(derived: Any, columns: Any, order: Any, how: Any, *only: Any) -> str:
    text = residual.content(derived, columns, order, how, *only)
    return text.replace("rowid > (SELECT", "rowid > 1 + (SELECT")


def _residual_twice(derived: Any, columns: Any, order: Any, how: Any) -> str:
    return residual.content(derived, columns, order, how).replace("rowid > (SELECT", "rowid >= (SELECT")


def lose_the_order(derived: Any, columns: Any, order: Any, how: Any, *only: Any) -> str:
    return residual.content(derived, columns, RowOrder.FREE, how, *only)


_appended_since = residual.appended_since


def _no_anchor(derived: Any) -> str:
    return _appended_since(derived.covering(replace(derived.coverage, dense=True)))


def ignore_mutations(derived: Any, state: Any) -> Use:
    how = usable.use(derived, state)
    return Use.RESIDUAL if how is Use.NO and isinstance(derived.action.source, TableName) else how


def ignore_appends(derived: Any, state: Any) -> Use:
    how = usable.use(derived, state)
    return Use.WHOLE if how is Use.RESIDUAL else how


def _stale_literal() -> Callable[..., Any]:
    seen: dict[str, str] = {}

    def compiled(self: Any, request: Any) -> Any:
        text = original(self, request)
        return seen.setdefault(f"{self.template.digest} {request.used}", text) if text else text

    original = known.Known.compiled
    return compiled


def _values_of_another(self: Any, known: Any, request: Any) -> Any:
    """Of each literal the value that the statement before had there."""
    found = _find(self, known, request)
    if found is None:
        return None
    before = self._texts.get("before", found[1])
    self._texts["before"] = found[1]
    return (found[0], before if before.keys() == found[1].keys() else found[1])


def _whatever_else(self: Any, known: Any, request: Any) -> Any:
    """A text that was made for another statement of the template, whose other literals it has."""
    found = _find(self, known, request)
    if found is None:
        return None
    first = next(iter(self._texts.values()))
    return (first, found[1]) if first is not None and first.compiled.text.count("$") == found[0].compiled.text.count("$") else found


_find = Handing.find


def _whatever_is_asked(self: Any, operator: str, values: Any) -> bool:
    """Appended rows are left out by any condition."""
    return True


def _up_to_the_largest(self: Any, operator: str, values: Any) -> bool:
    """A condition that the largest of the appended rows just fulfils leaves them out."""
    largest = self.largest
    return _rules_out(self, operator, values) or (largest is not None and operator in ("=", ">=") and bool(values[0] == largest))


_rules_out = Extent.rules_out


def _before_the_last_write(tables: Any, state: Any) -> tuple[()]:
    """Whatever was written, the appended rows lie where they lay."""
    return ()


def _trust_after_reopen(state: str) -> tuple[int, int]:
    return 0, 0


def patched(*patches: Any) -> Callable[[], Any]:
    """A defect: these patches together."""

    @contextmanager
    def plant() -> Iterator[None]:
        for patch in patches:
            patch.start()
        try:
            yield
        finally:
            for patch in patches:
                patch.stop()

    return plant


def never(*arguments: Any, **options: Any) -> None:
    """Does nothing."""
    return


def always(*arguments: Any) -> bool:
    """Agrees to everything."""
    return True


DEFECTS: dict[str, Callable[[], Any]] = {
    "drop the residual": patched(mock.patch.object(copies, "content", drop_the_residual)),
    "off by one at the high water": patched(mock.patch.object(copies, "content", off_by_one)),
    "count the last covered row twice": patched(mock.patch.object(copies, "content", _residual_twice)),
    "lose the base order": patched(mock.patch.object(copies, "content", lose_the_order)),
    "no re-anchoring": patched(mock.patch.object(residual, "appended_since", _no_anchor)),
    "ignore mutations": patched(mock.patch.object(serving, "use", ignore_mutations)),
    "ignore appends": patched(mock.patch.object(serving, "use", ignore_appends)),
    "stale literal": patched(mock.patch.object(known.Known, "compiled", _stale_literal())),
    "hand over the values of another statement": patched(mock.patch.object(Handing, "find", _values_of_another)),
    "hand values to another statement's text": patched(mock.patch.object(Handing, "find", _whatever_else)),
    "rule appended rows out by any condition": patched(mock.patch.object(Extent, "rules_out", _whatever_is_asked)),
    "rule appended rows out up to the largest": patched(mock.patch.object(Extent, "rules_out", _up_to_the_largest)),
    "rule out by what was appended behind another object": patched(mock.patch.object(extents, "_holds_all", always)),
    "rule out what was appended before the last write": patched(mock.patch.object(extents, "counts", _before_the_last_write)),
    "forget temporary tables": patched(mock.patch("sartor.interfaces.session.Session.shadow_all", never)),
    "serve inside a writing transaction": patched(mock.patch("sartor.interfaces.session.Transaction.intend", never)),
    "trust the file after a reopen": patched(mock.patch.object(tailoring, "_counts", _trust_after_reopen)),
    "take for a key what is none": patched(
        mock.patch.object(facts, "_increases", always), mock.patch.object(facts, "_is_unique_at_first", always)
    ),
    "take changed files for the same": patched(mock.patch.object(usable, "is_current", always)),
    "order by some of what is shown": patched(mock.patch.object(total_order, "_shows_only", always)),
    "do not look for unseen writes": patched(mock.patch("sartor.freshness.watch.Watch.accounts_for", always)),
}
