"""The design in force: an immutable set of derived objects and which templates use them."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sartor.core.derived import DerivedObject


@dataclass(frozen=True, slots=True)
class Replacement:
    """Serve one table reference of a statement, or one block of it, from a derived object.

    Attributes:
        reference: position in `Analysis.references`.
        object: the derived object's identifier.
        block: the reference is a position in `Analysis.blocks`, not in `Analysis.references`.
    """

    reference: int
    object: int
    block: bool = False


Alternative = tuple[Replacement, ...]
"""One way to run a statement: each replacement puts a derived object in the place of a table or a block. Empty: plain."""


def rests_on_facts(alternative: Alternative) -> bool:
    """Whether the facts of the statement's analysis have to hold: they say what may be put in the place of single tables."""
    return not all(replacement.block for replacement in alternative)


@dataclass(frozen=True, slots=True)
class Design:
    """What is in force.

    Attributes:
        objects: the derived objects by identifier.
        choices: per template digest, the alternative that the trial chose; an empty one means that plain won.
            A template that is not here was never tried, and is served as the component predicts.
        saved: per template digest, the seconds that its choice saves on each run, as its trial measured.
        version: moves with each change; decisions cached under another version are dead.
    """

    objects: Mapping[int, DerivedObject] = field(default_factory=lambda: MappingProxyType({}))
    choices: Mapping[str, Alternative] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 0
    saved: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    def without(self, gone: Container[int]) -> Design:
        """The same without some objects, and without the choices that name them."""
        choices = {digest: choice for digest, choice in self.choices.items() if not any(item.object in gone for item in choice)}
        objects = {identifier: derived for identifier, derived in self.objects.items() if identifier not in gone}
        saved = {digest: seconds for digest, seconds in self.saved.items() if digest in choices}
        return Design(objects, choices, self.version + 1, saved)
