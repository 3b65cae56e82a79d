"""The filter rules out no view that matches, and most that do not."""

from __future__ import annotations

import duckdb
from views.sections import SCHEMA, every

from sartor.components.views.apply import definition
from sartor.components.views.define import view_of
from sartor.engines.duckdb.engine import DuckDBEngine
from sartor.sql.analyse import analyse
from sartor.sql.matching.filter import may_match
from sartor.sql.matching.found import Match
from sartor.sql.matching.match import match


def test_every_pair_of_the_fixtures() -> None:
    with duckdb.connect(config={"threads": 1}) as connection:
        connection.execute(SCHEMA.read_text())
        catalog = DuckDBEngine(duckdb.DuckDBPyConnection.cursor(connection)).catalog()
        texts = every("match", "differ")
        views = {action: definition(action) for text in {one.view for one in texts} if (action := view_of(text, catalog)) is not None}
        blocks = [block for text in {one.query for one in texts[::4]} for block in analyse(text, catalog).blocks]
    passed = matched = near = 0
    for block in blocks:
        for action, view in views.items():
            if not block.tables <= action.tables:
                continue
            near += 1
            passes, matches = may_match(block, view), isinstance(match(block, view), Match)
            assert passes or not matches, (block, view)
            passed += passes
            matched += matches
    assert matched > 100
    assert passed < near / 2
