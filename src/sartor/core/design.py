"""The design in force: an immutable set of derived objects and which templates use them."""

from __future__ import annotations

from collections.abc import Mapping
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
        version: moves with each change; decisions cached under another version are dead.
    """

    objects: Mapping[int, DerivedObject] = field(default_factory=lambda: MappingProxyType({}))
    choices: Mapping[str, Alternative] = field(default_factory=lambda: MappingProxyType({}))
    version: int = 0
