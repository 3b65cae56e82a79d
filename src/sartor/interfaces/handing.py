"""Statements of a template that hand their literals over to one text, which DuckDB has parsed once.

A statement with literals that were not seen before would else be spliced and parsed anew, which takes as long as a small view takes to
be read (decision 031).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sartor.core.constants import HANDED_TEXTS
from sartor.interfaces.compiled import Compiled, Request, compile_text
from sartor.sql.rewrite import Splice

if TYPE_CHECKING:
    from sartor.core.analysis import Analysis
    from sartor.interfaces.known import Known

_NAME = "sartor_value_"


@dataclass(eq=False, slots=True)
class Handed:
    """A rewritten text with names of values in the place of literals.

    Attributes:
        compiled: it, and what has to hold for it to be sent.
        statement: what DuckDB's parser made of it; None until it has been sent.
        names: of the values that it takes: a condition that always holds in what answers it is left out, its literals with it.
    """

    compiled: Compiled
    statement: Any = None
    names: frozenset[str] = frozenset()

    def takes(self, values: dict[str, Any]) -> dict[str, Any]:
        """Those values that it takes, once it has been parsed."""
        return values if len(values) == len(self.names) else {name: values[name] for name in self.names}


@dataclass(eq=False, slots=True)
class Handing:
    """The texts of one template, analysed once.

    Attributes:
        off: DuckDB has refused one of them: the literals stay in the texts.
    """

    analysis: Analysis
    off: bool = False
    _texts: dict[object, Handed | None] = field(default_factory=dict)

    def find(self, known: Known, request: Request) -> tuple[Handed, dict[str, Any]] | None:
        """The text for a statement, and the values that it hands over; None if its literals have to stay in its own.

        Not for one whose ties have to be looked for: that is done in its own words.
        Statements share a text if they are the same, token by token, but for these literals.
        """
        from sartor.components import component

        printed, operands = known.fingerprint, self.analysis.operands
        assert printed is not None
        if self.off:
            return None
        words, told = printed.words(known.text), known.given(self.analysis)
        given: dict[str, Any] = {}
        places: list[int] = []
        rest: list[str] = []
        position = 0
        for operand in operands:
            found = told[operand]
            if found is None:
                return None
            for value in found:
                given[f"{_NAME}{len(given)}"] = value
            places.append(len(given))
            rest += words[position : operand.first_token]
            position = operand.last_token + 1
        rest += words[position:]
        for replacement, (derived, _) in zip(request.alternative, request.used, strict=True):
            if not component(derived.action.component).suits(self.analysis, replacement, derived, words):
                return None
        key = (request.key, tuple(places), tuple(rest), printed.generated)
        if key not in self._texts:
            if len(self._texts) >= HANDED_TEXTS.default:
                self._texts.clear()
            self._texts[key] = self._made(known, request, places, words)
        text = self._texts.get(key)  # None also where another thread has just let go of all
        return (text, given) if text is not None else None

    def _made(self, known: Known, request: Request, places: list[int], words: tuple[str, ...]) -> Handed | None:
        splices = []
        for operand, start, end in zip(self.analysis.operands, [0, *places], places, strict=False):
            names = ", ".join(f"${_NAME}{number}" for number in range(start, end))
            is_list = words[operand.last_token][0] == "("
            splices.append(Splice(operand.first_token, operand.last_token, f"({names})" if is_list else names))
        try:
            found = compile_text(known, self.analysis, request.alternative, request.objects(), request.state, splices)
        except ValueError:  # what answers it puts something else there
            return None
        return Handed(found) if found is not None else None
