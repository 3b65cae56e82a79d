"""What is put into the braces of the questions: drawn anew for each statement."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random

from benchmarks.suites.tpch.substitution import (
    COLORS,
    CONTAINER_SIZES,
    CONTAINERS,
    FIRST_SYLLABLES,
    MODES,
    NATIONS,
    REGIONS,
    SECOND_SYLLABLES,
    SEGMENTS,
    THIRD_SYLLABLES,
)

PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
FIRST_YEAR, LAST_YEAR = 1992, 1997  # whole years of orders; 1998 ends in August


def literals(random: Random) -> dict[str, str]:
    """One draw of everything that a question may ask for; nation and region belong together."""
    year = random.randint(FIRST_YEAR, LAST_YEAR)
    month, quarter = random.randint(1, 12), random.randrange(4)
    region = random.choice(sorted(REGIONS))
    day = date(year, 1, 1) + timedelta(days=random.randrange(330))
    return {
        "year": str(year),
        "year_from": f"{year}-01-01",
        "year_to": f"{year + 1}-01-01",
        "quarter_from": _first_of(year, 1 + 3 * quarter),
        "quarter_to": _first_of(year, 4 + 3 * quarter),
        "month_from": _first_of(year, month),
        "month_to": _first_of(year, month + 1),
        "day_from": str(day),
        "day_to": str(day + timedelta(days=random.choice([6, 13, 27, 89]))),
        "region": region,
        "nation": random.choice(REGIONS[region]),
        "nations": _some(random, NATIONS),
        "segment": random.choice(SEGMENTS),
        "segments": _some(random, SEGMENTS, most=3),
        "modes": _some(random, MODES, most=4),
        "priority": random.choice(PRIORITIES),
        "status": random.choice("FO"),
        "flag": random.choice("ANR"),
        "brand": f"Brand#{random.randint(1, 5)}{random.randint(1, 5)}",
        "container": f"{random.choice(CONTAINER_SIZES)} {random.choice(CONTAINERS)}",
        "size": random.choice(FIRST_SYLLABLES),
        "finish": random.choice(SECOND_SYLLABLES),
        "metal": random.choice(THIRD_SYLLABLES),
        "color": random.choice(COLORS),
        "large": str(random.randint(250, 300)),
        "fewest": str(random.choice([0, 10, 100, 1000])),
        "available": str(random.choice([0, 1000, 5000, 9000])),
    }


def _first_of(year: int, month: int) -> str:
    return str(date(year + (month - 1) // 12, 1 + (month - 1) % 12, 1))


def _some(random: Random, values: list[str], most: int = 5) -> str:
    """The inside of an IN list, sorted as tools do.

    >>> _some(Random(1), ["AIR", "RAIL"], most=1)
    "'AIR'"
    """
    return ", ".join(f"'{value}'" for value in sorted(random.sample(values, random.randint(1, most))))
