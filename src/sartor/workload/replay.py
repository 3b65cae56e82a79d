"""A workload from a file of SQL statements: each statement with the line it begins at; broken ones named and left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sartor.core.errors import WorkloadError
from sartor.sql.lexer import tokens


@dataclass(frozen=True, slots=True)
class FileStatement:
    """One statement of a workload file; `line` counts from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """A statement that can not be used, in one line."""

    line: int
    reason: str


def read_workload(path: Path, reason: Callable[[str], str | None]) -> tuple[list[FileStatement], list[Problem]]:
    """The statements of a file, split at semicolons outside of strings and comments.

    Args:
        path: the file, in UTF-8.
        reason: why a statement can not be used, or None; those with a reason are named and skipped, the rest counts.

    Raises:
        WorkloadError: the file can not be read, or holds no statement at all.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WorkloadError(f"{path}: {error.strerror or error}; give a file of SQL statements") from None
    except UnicodeDecodeError:
        raise WorkloadError(f"{path} is not UTF-8 text; give a file of SQL statements") from None
    good, problems = [], []
    for statement in split(text):
        why = reason(statement.text)
        if why is None:
            good.append(statement)
        else:
            problems.append(Problem(statement.line, why.strip().partition("\n")[0]))
    if not good and not problems:
        raise WorkloadError(f"{path} holds no statement; write SQL statements that end in semicolons")
    return good, problems


def split(text: str) -> list[FileStatement]:
    """The statements of a text.

    >>> [(s.line, s.text) for s in split("select 1; select ';'")]
    [(1, 'select 1'), (1, "select ';'")]
    """
    words, _, starts = tokens(text)
    statements = []
    first = None
    for word, start in zip(words, starts, strict=True):
        if word == ";":
            if first is not None:
                statements.append(FileStatement(text.count("\n", 0, first) + 1, text[first:start].strip()))
            first = None
        elif first is None:
            first = start
    if first is not None:
        statements.append(FileStatement(text.count("\n", 0, first) + 1, text[first:].strip()))
    return statements
