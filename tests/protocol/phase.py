"""One phase of the protocol: a database opened in a process of its own, written, read and refreshed from several threads."""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb

import sartor
from sartor.components.sort_keys.apply import sorted_copy
from sartor.core.table import TableName
from sartor.freshness import refresh, registry, stored
from sartor.freshness.refresh import Overtaken
from sartor.interfaces import call
from sartor.interfaces.connection import session_of
from sartor.interfaces.habit import Habit
from sartor.interfaces.known import Appended
from tests.fuzz.defects import DEFECTS, always
from tests.protocol.writer import KEYS, MARKER, Content, Writer

OPENED = "opened"  # what a phase prints when it has the file
WRITERS = 2
READERS = 3
_LONGEST_DELAY_SECONDS = 0.003
_LONGEST_PAUSE_SECONDS = 0.1  # of those who write and refresh: between them objects are decided on and served
_SELDOM = 8  # times that pause: of the first class, that rows of the other alone were appended often, and some of its own then
_FIRST_ANSWERS = 12
_PAST_SHARE = 0.1  # of the writes of a shared database; after each, connections that are open run plain
_NEW_CURSOR_SHARE = 0.1
_MOST_ANSWERS = 30  # times those that have to be served, then a phase ends in any case


@dataclass(slots=True)
class Order:
    """What a phase is to do.

    Attributes:
        answers: how many have to be served from objects before it ends.
        shared: open with `shared=True`, and let one writer write past Sartor.
        killed: end the process without closing anything.
        delays: stretch the moments at which races are won and lost.
    """

    path: str
    seed: int
    answers: int
    shared: bool = False
    killed: bool = False
    delays: bool = False
    defect: str = ""
    writers: list[tuple[int, dict[int, list[int]]]] = field(default_factory=list)  # version and rows of each


@dataclass(slots=True)
class Outcome:
    """What a phase saw."""

    served: int = 0
    answers: int = 0
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    writers: list[tuple[int, dict[int, list[int]]]] = field(default_factory=list)


class Phase:
    """The threads of a phase, and what they share."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.outcome = Outcome()
        self.writers = [Writer(number, rows, version) for number, (version, rows) in enumerate(order.writers)]
        self.over = threading.Event()
        self.connection = sartor.connect(order.path, config={"threads": 1}, shared=order.shared)
        self.database = session_of(self.connection).database
        self._lock = threading.Lock()

    def run(self) -> Outcome:
        self._read_first()
        self.install()
        work: list[Callable[[random.Random], None]] = [
            *(self._writer(number) for number in range(WRITERS)),
            *(self._reader() for _ in range(READERS)),
            self._keeper(),
        ]
        threads = [threading.Thread(target=self._guarded, args=(act, place)) for place, act in enumerate(work)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self._compare_all()
        self.outcome.writers = [(writer.committed, writer.rows) for writer in self.writers]
        return self.outcome

    def _read_first(self) -> None:
        """Answers from what an earlier phase left, before anything is written or refreshed."""
        draw, connection = random.Random(self.order.seed), self.connection.cursor()
        for _ in range(_FIRST_ANSWERS):
            self._read(connection, draw.choice(self.writers), draw)
        connection.close()

    def install(self) -> None:
        """A copy by the class and the key and one by the class and the value, those of them that are not there."""
        name = TableName(self.database.engine().database, "main", "t")
        there = {derived.action.get("key") for derived in self.database.design.objects.values()}
        for key in {("w", "k"), ("w", "v")} - there:
            try:
                self.database.install(sorted_copy(name, ("w", "k", "v"), key, frozenset()))
            except Overtaken:
                self.outcome.seen["build overtaken"] += 1

    def _guarded(self, act: Callable[[random.Random], None], place: int) -> None:
        draw = random.Random(f"{self.order.seed} {place}")
        try:
            while not self.over.is_set():
                act(draw)
        except Exception as error:
            self._note(f"{act.__qualname__} raised {type(error).__name__}: {error}")

    def _note(self, wrong: str) -> None:
        self.outcome.wrong.append(wrong)
        self.over.set()

    def _writer(self, number: int) -> Callable[[random.Random], None]:
        ours = self.connection.cursor()
        others = duckdb.connect(self.order.path, config={"threads": 1}) if self.order.shared else None

        def act(draw: random.Random) -> None:
            if others is not None and draw.random() < _PAST_SHARE:
                self.outcome.seen["write past Sartor"] += 1
                self.writers[number].write(others, draw, Counter())
                fresh = self.connection.cursor()
                for _ in range(3):
                    self._read(fresh, self.writers[number], draw)
                fresh.close()
            else:
                self.writers[number].write(ours, draw, self.outcome.seen)
            self.over.wait(draw.random() * _LONGEST_PAUSE_SECONDS * (_SELDOM if number == 0 else 1))

        return act

    def _reader(self) -> Callable[[random.Random], None]:
        connection = self.connection.cursor()

        def act(draw: random.Random) -> None:
            nonlocal connection
            if draw.random() < _NEW_CURSOR_SHARE:
                connection.close()
                connection = self.connection.cursor()
            if draw.random() < 0.2:
                self._read_in_transaction(connection, draw)
            else:
                self._read(connection, draw.choice(self.writers), draw)

        return act

    def _read_in_transaction(self, connection: Any, draw: random.Random) -> None:
        writer = draw.choice(self.writers)
        connection.begin()
        versions = {self._read(connection, writer, draw) for _ in range(3)}
        connection.commit()
        self.outcome.seen["reading transaction"] += 1
        if len(versions) > 1:
            self._note(f"one transaction saw the versions {versions} of class {writer.number}")

    def _read(self, connection: Any, writer: Writer, draw: random.Random) -> int:
        """Ask, and hold the answer against what the writer did; gives the version that was seen."""
        key = draw.randrange(KEYS)
        of_class = f"FROM t WHERE w = {writer.number}"
        grouped = f"SELECT k, count(*) AS n, sum(v) AS total, max(v) AS last {of_class}{{}} GROUP BY k ORDER BY k"
        texts = (
            grouped.format(""),
            grouped.format(f" AND k IN ({MARKER}, {key})"),
            grouped.format(" AND v >= 0"),
            f"SELECT k, v {of_class} AND k BETWEEN {MARKER} AND 0",
        )
        kind = draw.randrange(len(texts))
        in_transaction = session_of(connection).transaction is not None
        least = 0 if in_transaction else writer.committed
        connection.execute(texts[kind])
        pending = session_of(connection).pending
        how = pending.how if pending is not None else ()
        ruled_out = bool(how) and pending.appended is Appended.RULED_OUT
        rows = connection.fetchall()
        most = writer.started
        found, version = _folded(rows) if kind == len(texts) - 1 else _grouped(rows)
        expected = writer.history.get(version)
        asked = range(KEYS) if kind in (0, 2) else (key,) if kind == 1 else (0,)
        with self._lock:
            self.outcome.answers += 1
            self.outcome.served += bool(how)
            self.outcome.seen["appended rows ruled out"] += ruled_out
            for one in set(how):
                self.outcome.seen[f"served {one.value}"] += 1
            if self.outcome.served >= self.order.answers or self.outcome.answers >= self.order.answers * _MOST_ANSWERS:
                self.over.set()
        if not least <= version <= most:
            self._note(f"version {version} of class {writer.number} was answered, {least} to {most} could be; {how}; {texts[kind]}")
        elif expected is None or any(found.get(k, (0, 0)) != expected[k] for k in asked):
            self._note(f"version {version} of class {writer.number} is {expected}, answered {found}; {how}; {texts[kind]}")
        return version

    def _keeper(self) -> Callable[[random.Random], None]:
        connection = self.connection.cursor()

        def act(draw: random.Random) -> None:
            kind = draw.choices(("refresh", "purge", "undo", "tune"), (16, 2, 1, 1))[0]
            self.outcome.seen[kind] += 1
            try:
                if kind == "tune":
                    connection.tune(seconds=0.5)
                    connection.undo()  # a copy that no trial found faster would not be served from
                else:
                    getattr(connection, kind)()
            except duckdb.TransactionException:
                self.outcome.seen[f"{kind} refused"] += 1
            self.install()
            self.over.wait(draw.random() * _LONGEST_PAUSE_SECONDS)

        return act

    def _compare_all(self) -> None:
        for writer in self.writers:
            text = f"SELECT k, count(*), sum(v), max(v) FROM t WHERE w = {writer.number} GROUP BY k ORDER BY k"
            found, version = _grouped(self.connection.execute(text).fetchall())
            if version != writer.committed or any(found.get(k, (0, 0)) != writer.history[version][k] for k in range(KEYS)):
                self.outcome.wrong.append(f"in the end class {writer.number} has version {version}, {writer.committed} was committed")


def _grouped(rows: list[Any]) -> tuple[Content, int]:
    return {k: (n, int(total)) for k, n, total, _ in rows}, max((last for k, _, _, last in rows if k == MARKER), default=0)


def _folded(rows: list[Any]) -> tuple[Content, int]:
    values = [v for k, v in rows if k == 0]
    return {0: (len(values), sum(values))}, max((v for k, v in rows if k == MARKER), default=0)


@contextmanager
def delayed(seed: int) -> Iterator[None]:
    """Stretch the moments between seeing, stamping and checking, at random."""
    draw = random.Random(seed)
    with ExitStack() as stack:
        for owner, name in (
            (registry.Registry, "window"),
            (registry.Window, "close"),
            (call, "unchanged"),
            (stored, "save"),
            (refresh, "coverage_now"),
        ):
            stack.enter_context(mock.patch.object(owner, name, _slowed(getattr(owner, name), draw)))
        yield


def _slowed(original: Callable[..., Any], draw: random.Random) -> Callable[..., Any]:
    def slow(*arguments: Any, **options: Any) -> Any:
        if draw.random() < 0.2:
            time.sleep(draw.random() * _LONGEST_DELAY_SECONDS)
        result = original(*arguments, **options)
        if draw.random() < 0.2:
            time.sleep(draw.random() * _LONGEST_DELAY_SECONDS)
        return result

    return slow


def run_phase(order: Order) -> Outcome:
    """Run a phase in this process."""
    with ExitStack() as stack:
        if order.defect:
            stack.enter_context(DEFECTS[order.defect]())
        if order.delays:
            stack.enter_context(delayed(order.seed))
            stack.enter_context(mock.patch.object(Habit, "pays", always))
        phase = Phase(order)
        print(OPENED, flush=True)
        outcome = phase.run()
        if not order.killed:
            phase.connection.close()
    return outcome


def main() -> None:
    """Read an order from the standard input, write the outcome to the file that is named, and end, by force if told so."""
    document = json.load(sys.stdin)
    writers = [(version, {int(key): values for key, values in rows.items()}) for version, rows in document.pop("writers")]
    order = Order(**document, writers=writers)
    sys.setswitchinterval(1e-4)
    outcome = run_phase(order)
    Path(sys.argv[1]).write_text(
        json.dumps({name: getattr(outcome, name) for name in ("served", "answers", "seen", "wrong", "writers")})
    )
    if order.killed:
        os._exit(0)


if __name__ == "__main__":
    main()
