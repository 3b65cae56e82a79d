"""Asking a statement that a view may answer."""

from __future__ import annotations

from typing import Any

from sartor.interfaces.connection import session_of
from tests.freshness.support import plain


def is_served(con: Any, text: str) -> bool:
    """Whether a statement is answered from a view; its answer is that of plain DuckDB in any case."""
    for _ in range(3):
        assert con.execute(text).fetchall() == plain(con, text), text
    call = session_of(con).pending
    return call is not None and call.instead is not None
