"""Tables whose rows are included in each other's though nobody declared it, until some write makes that untrue."""

from __future__ import annotations

import random

from tests.fuzz.queries import Query

CREATE = (
    "CREATE TABLE parcels "
    "(id INTEGER, route INTEGER, way INTEGER, part SMALLINT, boss INTEGER, kind VARCHAR, n INTEGER, q DECIMAL(9,2))",
    "CREATE TABLE routes (route INTEGER, part SMALLINT, carrier VARCHAR, region VARCHAR, km SMALLINT)",
    "CREATE TABLE carriers (carrier VARCHAR, title VARCHAR)",
    "INSERT INTO carriers SELECT 'c' || i, ['x', 'y', NULL][1 + i % 3] FROM range(4) r(i)",
    "INSERT INTO routes SELECT i, i % 3, 'c' || i % 4, ['n', 's', NULL][1 + i % 3], i % 5 FROM range(20) r(i)",
    "INSERT INTO parcels SELECT i, i % 20, i % 20, i % 20 % 3, i // 2, "
    "['a', 'b', NULL, 'd'][1 + i % 4], i % 7, i / 8 FROM range(120) r(i)",
)
INCLUSIONS = (
    ("parcels", "routes", ("route", "route")),
    ("parcels", "routes", ("part", "part"), ("route", "route")),
    ("parcels", "routes", ("route", "route"), ("way", "route")),
    ("routes", "carriers", ("carrier", "carrier")),
    ("parcels", "parcels", ("boss", "id")),
)
"""Child, parent, and the columns that are equal."""
_STATES = "count(*), sum(p.n), sum(p.q), min(p.n), max(p.q), count(p.kind)"
VIEWS = (
    f"SELECT p.kind, r.route, r.region, {_STATES} FROM parcels p JOIN routes r ON p.route = r.route GROUP BY ALL",
    f"SELECT p.kind, p.part, p.route, r.region, {_STATES} FROM routes r JOIN parcels p ON p.route = r.route AND p.part = r.part "
    "GROUP BY ALL",
    f"SELECT p.kind, p.route, r.region, c.title, max(p.n), {_STATES} FROM parcels p JOIN routes r ON p.route = r.route "
    "JOIN carriers c ON r.carrier = c.carrier GROUP BY ALL",
    f"SELECT p.kind, b.kind AS above, {_STATES} FROM parcels p JOIN parcels b ON p.boss = b.id GROUP BY ALL",
    f"SELECT p.kind, r.route, bool_and(p.n > 2), {_STATES} FROM parcels p JOIN routes r ON p.route = r.route AND p.way = r.route "
    "GROUP BY ALL",
    "SELECT r.region, r.km, c.title, count(*), sum(r.km) FROM routes r JOIN carriers c ON r.carrier = c.carrier GROUP BY ALL",
    f"SELECT p.kind, r.region, {_STATES} FROM parcels p JOIN routes r ON p.route = r.route WHERE r.km < 4 GROUP BY ALL",
)
"""They answer what is asked of fewer of their tables while inclusions are known: not the one with `way`, nor the last."""

_CALLS = (
    "count(*)",
    "max(p.n)",
    "sum(p.n)",
    "min(p.n)",
    "max(p.q)",
    "count(p.kind)",
    "sum(p.q)",
    "count(*) FILTER (WHERE p.kind = 'a')",
)
_WITH_ROUTES = "parcels p JOIN routes r ON p.route = r.route"
_SHAPES = 14  # few, so that each is asked often enough to be served


class Including:
    """Draws such statements and writes; the same for a seed, whatever else is drawn."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed + 7919)
        self._shapes = [self._shape(place) for place in range(_SHAPES)]
        self._next = 1000  # numbers that no row has had

    def _shape(self, kind: int) -> str:
        """A statement of one kind, with places for literals."""
        pick = self.random
        calls = ", ".join(f"{call} AS v{place}" for place, call in enumerate(pick.sample(_CALLS, 2)))
        where = pick.choice(["", "", " WHERE p.kind IN ('a', {kind})", " WHERE p.route >= {route}", " WHERE p.route = {route}"])
        match kind % 9:
            case 0:
                return f"SELECT {calls} FROM parcels p{where}"
            case 1 | 2:
                return f"SELECT p.route, {calls} FROM parcels p{where} GROUP BY p.route"
            case 3:
                return f"SELECT r.region, {calls} FROM {_WITH_ROUTES}{where} GROUP BY r.region"
            case 4:
                return "SELECT r.region, count(*) AS v0, sum(r.km) AS v1 FROM routes r GROUP BY r.region"
            case 5:
                return f"SELECT p.way, bool_and(p.n > 2) AS v0 FROM parcels p{where.replace('route', 'way')} GROUP BY p.way".replace(
                    "{way}", "{route}"
                )
            case _:
                return f"SELECT p.kind, {calls} FROM parcels p{where} GROUP BY p.kind"

    def query(self) -> Query:
        """A statement of a shape that was drawn before; now and then another shape takes the place of one."""
        pick = self.random
        place = pick.randrange(len(self._shapes))
        if pick.random() < 0.02:
            self._shapes[place] = self._shape(pick.randrange(9))
        text = self._shapes[place].format(kind=pick.choice(["'b'", "'d'", "''"]), route=pick.randrange(24))
        return Query("included", text, False, False, (), False)

    def append(self) -> str:
        """Rows more, most of which have what they refer to."""
        pick = self.random
        self._next += 10
        new = self._next
        route = pick.choice(["route", "route", "route", "NULL", f"{new}", "route + 1"])
        way = pick.choice(["route", "route", "way + 1", "NULL"])
        part = pick.choice(["part", "part", "part", "NULL", "1 - part"])
        boss = pick.choice(["boss", "boss", "id", "NULL", f"{new}"])
        again = pick.choice(["route", "route", str(new), "NULL"])
        some = f"FROM parcels LIMIT {pick.randrange(1, 9)}"
        grown = (
            f"INSERT INTO parcels SELECT id + {new}, route, {pick.choice(('route', 'route + 1'))}, part, boss, kind, n + 1, q {some}"
        )
        return pick.choice(
            [
                *[grown] * 4,
                f"INSERT INTO parcels SELECT id + {new}, {route}, {way}, {part}, {boss}, 'a', 3, 1 {some}",
                f"INSERT INTO routes VALUES ({new}, 1, 'c1', 'n', 2), ({new + 1}, 2, 'c2', 's', 3)",
                f"INSERT INTO routes SELECT {again}, part, carrier, 's', 1 FROM routes LIMIT 1",
                f"INSERT INTO routes VALUES ({new}, 1, {pick.choice(['NULL', repr('c9')])}, 'n', 2)",
                f"INSERT INTO carriers VALUES ({pick.choice([repr('c1'), repr(f'c{new}'), 'NULL'])}, 'z')",
                f"INSERT INTO parcels SELECT id, route, route, part, boss, kind, 1, 2 {some}",
            ]
        )

    def change(self) -> str:
        """A write that is no append."""
        pick = self.random
        return pick.choice(
            [
                f"DELETE FROM routes WHERE route = {pick.randrange(20)}",
                f"DELETE FROM parcels WHERE id % 7 = {pick.randrange(7)} AND id > 9",
                f"UPDATE parcels SET route = {pick.choice(['NULL', '99', '3'])} WHERE id = {pick.randrange(40)}",
                f"UPDATE routes SET route = {pick.randrange(20)} WHERE route = {pick.randrange(20)}",
                f"UPDATE routes SET region = 'w' WHERE km = {pick.randrange(5)}",
                f"DELETE FROM carriers WHERE carrier = 'c{pick.randrange(4)}'",
            ]
        )

    def repairs(self) -> list[str]:
        """Writes after which every inclusion holds, and the tables are as small as they were."""
        return [*(f"DELETE FROM {table}" for table in ("parcels", "routes", "carriers")), *CREATE[3:]]
