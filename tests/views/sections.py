"""The sections of the view fixtures: a view, a statement, and whether the one answers the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "fixtures" / "views"
SCHEMA = FOLDER / "schema.sql"
RULES = tuple(sorted(path.stem for path in FOLDER.glob("*.sql") if path != SCHEMA))

_HEAD = re.compile(r"^-- (match|differ|notyet): ([^:\n]+)(?:: (.+))?$", re.MULTILINE)
_END = re.compile(r";[ \t]*$", re.MULTILINE)
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/", re.DOTALL)
_INNERMOST = re.compile(r"\([^()]*\)")


@dataclass(frozen=True, slots=True)
class Section:
    """One pair.

    Attributes:
        rule: the file's name.
        kind: match, differ or notyet (it matches in truth, and is known not to be found).
        why: why it does not match; empty for a match.
    """

    rule: str
    kind: str
    name: str
    why: str
    view: str
    query: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.name}"

    @property
    def ordered(self) -> bool:
        """Whether the statement as a whole is ordered, so that its rows must come in plain's sequence."""
        text = _QUOTED.sub("", self.query)
        while _INNERMOST.search(text):
            text = _INNERMOST.sub("", text)
        return "order by" in text.lower()


def sections(rule: str, *kinds: str) -> list[Section]:
    """The sections of a file that are of one of these kinds; of all kinds if none is named."""
    return [section for section in _parsed(rule) if not kinds or section.kind in kinds]


def every(*kinds: str) -> list[Section]:
    """The sections of all files that are of one of these kinds."""
    return [section for rule in RULES for section in sections(rule, *kinds)]


def _parsed(rule: str) -> Iterator[Section]:
    text = (FOLDER / f"{rule}.sql").read_text()
    heads = list(_HEAD.finditer(text))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    for head, end in zip(heads, ends, strict=True):
        statements = [part.strip() for part in _END.split(text[head.end() : end]) if part.strip()]
        if len(statements) != 2 or (head[3] is None) != (head[1] == "match"):
            raise ValueError(f"{rule}: {head[0]} is not a head with a view and a statement below it")
        yield Section(rule, head[1], head[2], head[3] or "", *statements)
