"""Asking a statement that a view may answer."""

from __future__ import annotations

from typing import Any

import sartor
from sartor.components.views.define import view_of
from sartor.components.views.propose import propose
from sartor.core.action import Action
from sartor.core.derived import DerivedObject
from sartor.interfaces.connection import session_of
from tests.freshness.support import database_of, plain


def is_served(con: Any, text: str) -> bool:
    """Whether a statement is answered from a view; its answer is that of plain DuckDB in any case."""
    for _ in range(3):
        assert con.execute(text).fetchall() == plain(con, text), text
    call = session_of(con).pending
    return call is not None and call.instead is not None


def install(con: Any, text: str, **how: Any) -> DerivedObject:
    """Build the view that stores what a statement asks for, with what else `view_of` takes."""
    database = database_of(con)
    with database.engine_lock:
        action = view_of(text, database.catalog(), **how)
    assert action is not None, text
    return database.install(action)


def candidates(*texts: str) -> list[Action]:
    """The views that would be proposed for some statements over a small table `t` of groups, days and numbers."""
    with sartor.connect(config={"threads": 1}) as con:
        con.execute(
            "CREATE TABLE t AS SELECT i % 5 AS g, DATE '2020-01-01' + i::INTEGER AS d, "
            "(i % 90)::INTEGER AS x, i::BIGINT AS n, i / 7 AS f FROM range(900) r(i)"
        )
        for text in texts:
            con.execute(text).fetchall()
        database = database_of(con)
        database.observer.take_in()
        catalog = database.catalog()
        return propose(database.log.workload().analysed(catalog), catalog)
