"""A sample of a join's rows in Sartor's own connection, and how many groups the whole join has by some keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sartor.components.views.apply import join, join_conditions
from sartor.core.constants import VIEW_SAMPLE_GROWTH, VIEW_SAMPLE_ROWS
from sartor.core.table import Catalog, quote
from sartor.core.view import KeyColumn, ViewDefinition
from sartor.engines.base import Engine

_SALT = 7919  # so that no column that is itself a hash of the row number goes along with the sample


@dataclass(frozen=True, slots=True)
class Sample:
    """Joined rows of a share of the largest table's rows, drawn by a hash of the row id: the same each time.

    Attributes:
        share: of the largest table's rows that were drawn.
        sampled: joined rows in the sample.
        columns: the column that holds each key.
    """

    engine: Engine
    name: str
    share: float
    sampled: int
    columns: dict[KeyColumn, str]

    @property
    def rows(self) -> float:
        """The rows of the whole join, about."""
        return self.sampled / self.share

    def groups(self, view: ViewDefinition) -> float:
        """How many groups the whole join has by a view's keys.

        By the first-order jackknife of Haas and Stokes, Estimating the number of classes in a finite population (JASA 1998): it is
        right both where each row is a group of its own and where every group is seen often.
        """
        if not view.keys or not self.sampled:
            return 1.0
        by = ", ".join(self.columns[key] for key in view.keys)
        seen, once = self.engine.rows(
            f"SELECT count(*), count(*) FILTER (rows = 1) FROM (SELECT count(*) AS rows FROM {self.name} GROUP BY {by})"
        )[0]
        return float(min(self.rows, seen / (1.0 - (1.0 - self.share) * once / self.sampled)))

    def passing(self, conditions: Sequence[str]) -> float:
        """The share of the joined rows that fulfil all conditions; those over what the sample does not hold are left out.

        Args:
            conditions: in canonical form.
        """
        known = []
        for condition in conditions:
            for key, column in sorted(self.columns.items(), key=lambda item: -len(item[0].text)):
                condition = condition.replace(key.text, column)
            if '"."' not in condition and "?" not in condition and "$" not in condition:
                known.append(f"({condition})")
        if not known or not self.sampled:
            return 1.0
        return float(self.engine.rows(f"SELECT count(*) FROM {self.name} WHERE {' AND '.join(known)}")[0][0]) / self.sampled

    def drop(self) -> None:
        self.engine.execute(f"DROP TABLE {self.name}")


def draw(engine: Engine, views: Sequence[ViewDefinition], catalog: Catalog, number: int) -> Sample:
    """A sample of the join that some views share, with all their keys."""
    view = views[0]
    keys = list(dict.fromkeys(key for one in views for key in one.keys))
    columns = {key: f"k{place}" for place, key in enumerate(keys)}
    sizes = [info.rows if (info := catalog.info(table)) is not None else 0 for table in view.tables[: len(view.inner)]]
    rows = max(sizes)
    parts = max(1, round(rows / VIEW_SAMPLE_ROWS.default))
    row = f"{quote(view.names[sizes.index(rows)])}.rowid"
    conditions = [f"hash({row} + {_SALT}) % {parts} = 0"] if parts > 1 else []
    conditions += join_conditions(view)
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    selected = ", ".join(f"{key.sql} AS {columns[key]}" for key in keys) or "1 AS one"
    name = f"temp.main.sartor_join_{number}"
    most = int(VIEW_SAMPLE_ROWS.default * VIEW_SAMPLE_GROWTH.default)
    engine.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT {selected} FROM {join(view)}{where} LIMIT {most}")
    sampled = engine.rows(f"SELECT count(*) FROM {name}")[0][0]
    return Sample(engine, name, 1.0 / parts, sampled, columns)
