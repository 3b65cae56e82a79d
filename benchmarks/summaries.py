"""What else an expert may use: summary tables, questions rewritten by hand to read them, and their upkeep.

All of it is SQL in the suite's `expert_summaries.sql`, in sections that a line `--: …` begins:

    --: summary                              CREATE TABLE … AS SELECT … GROUP BY …
    --: after insert into TABLE              run after each insert; {last} is the largest row id before it
    --: before update, delete of TABLE       run before each such write; {where} is the write's condition
    --: after update of TABLE                the same, after it
    --: question NAME                        a text with {literals} in braces; suites may bring their own
    --: rewrite NAME                         the text that answers it from summaries, with the same {literals}

Upkeep belongs to the summary above it. A literal is any text, or one of those that `{name:this|that}` lists.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from benchmarks.statement import BenchmarkError, Suite

SUMMARY_FILE = "expert_summaries.sql"
_UPKEEP = re.compile(r"(before|after) ([\w, ]+?) (?:of|into) (\w+)")
_CREATED = re.compile(r"CREATE TABLE (\w+) AS\s", re.IGNORECASE)
_WHERE = re.compile(r"\sWHERE\s+(.*)\Z", re.IGNORECASE | re.DOTALL)
_LITERAL = re.compile(r"\{(\w+)(?::([^{}]+))?\}")
_BETWEEN = re.compile(r";\s*\n")
_GAP = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What keeps a summary right when a table is written.

    Attributes:
        moment: "before" or "after" the write.
        kinds: of "insert", "update" and "delete".
    """

    moment: str
    kinds: frozenset[str]
    table: str
    texts: tuple[str, ...]


@dataclass(slots=True)
class Summary:
    """A table that holds groups of others.

    Attributes:
        name: as the CREATE statement says.
    """

    name: str
    create: str
    upkeep: list[Upkeep] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A question and the text that answers it from summaries.

    Attributes:
        question: matches the whole text and names its literals.
    """

    name: str
    question: re.Pattern[str]
    text: str

    def rewritten(self, text: str) -> str | None:
        """The text over the summaries, or None where `text` asks something else.

        >>> one = Rewrite("days", question_of("SELECT {k} FROM t WHERE {k} > {low}"), "SELECT {k} FROM s WHERE {k} > {low}")
        >>> one.rewritten("SELECT day FROM t WHERE day > 5"), one.rewritten("SELECT day FROM t WHERE week > 5")
        ('SELECT day FROM s WHERE day > 5', None)
        """
        match = self.question.fullmatch(text)
        return filled(self.text, match.groupdict()) if match else None


@dataclass(frozen=True, slots=True)
class Summaries:
    """All that the file of a suite holds."""

    tables: tuple[Summary, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()

    def within(self, names: Collection[str]) -> Summaries:
        """Only the tables of these names, and the rewrites that read no other."""
        gone = [table.name for table in self.tables if table.name not in names]
        kept = [one for one in self.rewrites if not any(re.search(rf"\b{name}\b", one.text) for name in gone)]
        return Summaries(tuple(table for table in self.tables if table.name in names), tuple(kept))

    def of(self, text: str) -> Iterator[tuple[Rewrite, str]]:
        """The rewrites that answer a text, with what they make of it."""
        for rewrite in self.rewrites:
            changed = rewrite.rewritten(text)
            if changed is not None:
                yield rewrite, changed


def question_of(pattern: str) -> re.Pattern[str]:
    """A text with literals in braces as a regular expression; any white space stands for any other."""
    parts, position, known = [], 0, set[str]()
    for literal in _LITERAL.finditer(pattern):
        parts.append(_plain(pattern[position : literal.start()]))
        choices = "|".join(map(re.escape, literal[2].split("|"))) if literal[2] else ".*?"
        parts.append(f"(?P={literal[1]})" if literal[1] in known else f"(?P<{literal[1]}>{choices})")
        known.add(literal[1])
        position = literal.end()
    return re.compile("".join(parts) + _plain(pattern[position:]), re.DOTALL)


def filled(text: str, literals: Mapping[str, str]) -> str:
    """Put literals into the braces.

    >>> filled("WHERE rowid > {last}", {"last": "7"})
    'WHERE rowid > 7'
    """
    return _LITERAL.sub(lambda literal: literals[literal[1]], text)


def condition_of(write: str) -> str:
    """The condition of an UPDATE or DELETE.

    >>> condition_of("DELETE FROM t WHERE id IN (1, 2)"), condition_of("DELETE FROM t")
    ('id IN (1, 2)', 'true')
    """
    match = _WHERE.search(write)
    return match[1].strip().rstrip(";") if match else "true"


def read_summaries(suite: Suite) -> Summaries:
    """The summaries of a suite.

    Raises:
        BenchmarkError: there are none, or a section is not understood.
    """
    path = suite.folder / SUMMARY_FILE
    if not path.exists():
        raise BenchmarkError(f"{suite.name} has no {SUMMARY_FILE}; run it with --expert sorts")
    known = dict(suite.questions)
    tables: list[Summary] = []
    rewrites: list[Rewrite] = []
    for head, body in _sections(path):
        kind, _, name = head.partition(" ")
        upkeep = _UPKEEP.fullmatch(head)
        created = _CREATED.match(body)
        if kind == "summary" and created:
            tables.append(Summary(created[1], body))
        elif upkeep and tables:
            kinds = frozenset(kind.strip() for kind in upkeep[2].split(","))
            tables[-1].upkeep.append(Upkeep(upkeep[1], kinds, upkeep[3].lower(), tuple(_BETWEEN.split(body))))
        elif kind == "question":
            known[name] = body
        elif kind == "rewrite" and name in known:
            rewrites.append(Rewrite(name, question_of(known[name]), body))
        else:
            raise BenchmarkError(f"{path}: '--: {head}' is not understood; see benchmarks/summaries.py for what a section may be")
    return Summaries(tuple(tables), tuple(rewrites))


def run_upkeep(
    connection: duckdb.DuckDBPyConnection, summary: Summary, moment: str, kind: str, table: str, literals: Mapping[str, str]
) -> None:
    """Do what a summary needs before or after one write to a table."""
    for upkeep in summary.upkeep:
        if upkeep.moment == moment and kind in upkeep.kinds and upkeep.table == table:
            for text in upkeep.texts:
                connection.execute(filled(text, literals))


def _sections(path: Path) -> Iterator[tuple[str, str]]:
    head = ""
    lines: list[str] = []
    for line in [*path.read_text().splitlines(), "--:"]:
        if not line.startswith("--:"):
            lines += [] if line.startswith("--") else [line]
            continue
        if head:
            yield head, "\n".join(lines).strip().rstrip(";")
        head, lines = line.removeprefix("--:").strip(), []


def _plain(text: str) -> str:
    return r"\s+".join(re.escape(part) for part in _GAP.split(text))
