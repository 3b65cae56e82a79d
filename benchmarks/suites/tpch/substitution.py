"""Literals for the 22 queries, drawn as TPC-H's specification says (clause 2.4)."""

from __future__ import annotations

from random import Random
from typing import Any

REGIONS = {
    "AFRICA": ["ALGERIA", "ETHIOPIA", "KENYA", "MOROCCO", "MOZAMBIQUE"],
    "AMERICA": ["ARGENTINA", "BRAZIL", "CANADA", "PERU", "UNITED STATES"],
    "ASIA": ["CHINA", "INDIA", "INDONESIA", "JAPAN", "VIETNAM"],
    "EUROPE": ["FRANCE", "GERMANY", "ROMANIA", "RUSSIA", "UNITED KINGDOM"],
    "MIDDLE EAST": ["EGYPT", "IRAN", "IRAQ", "JORDAN", "SAUDI ARABIA"],
}
NATIONS = sorted(nation for nations in REGIONS.values() for nation in nations)
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
FIRST_SYLLABLES = ["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"]
SECOND_SYLLABLES = ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"]
THIRD_SYLLABLES = ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"]
CONTAINER_SIZES = ["SM", "LG", "MED", "JUMBO", "WRAP"]
CONTAINERS = ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"]
COLORS = ["almond", "azure", "blue", "chocolate", "coral", "forest", "green", "ivory", "lace", "magenta", "navy", "olive"]
COLORS += ["peach", "plum", "rosy", "salmon", "sienna", "snow", "tan", "violet", "wheat", "yellow"]


def literals(query: int, random: Random, scale: float) -> dict[str, Any]:
    """The substitution parameters of one query."""
    region = random.choice(sorted(REGIONS))
    nation = random.choice(REGIONS[region])
    year = random.randint(1993, 1997)
    month = random.randint(1, 12)
    match query:
        case 1:
            return {"delta": random.randint(60, 120)}
        case 2:
            return {"size": random.randint(1, 50), "syllable": random.choice(THIRD_SYLLABLES), "region": region}
        case 3:
            return {"segment": random.choice(SEGMENTS), "date": f"1995-03-{random.randint(1, 31):02}"}
        case 4:
            return {"date": f"{year}-{month if year < 1997 else min(month, 10):02}-01"}
        case 5:
            return {"region": region, "date": f"{year}-01-01"}
        case 6:
            discount = f"0.0{random.randint(2, 9)}"
            return {"date": f"{year}-01-01", "discount": discount, "quantity": random.randint(24, 25)}
        case 7:
            one, other = random.sample(NATIONS, 2)
            return {"nation": one, "other": other}
        case 8:
            return {"nation": nation, "region": region, "type": _type(random)}
        case 9 | 20:
            return {"color": random.choice(COLORS), "date": f"{year}-01-01", "nation": nation}
        case 10:
            return {"date": random.choice([f"1993-{m:02}-01" for m in range(2, 13)] + [f"1994-{m:02}-01" for m in range(1, 13)])}
        case 11:
            return {"nation": nation, "fraction": f"{0.0001 / scale:.10f}"}
        case 12:
            one, other = random.sample(MODES, 2)
            return {"mode": one, "other": other, "date": f"{year}-01-01"}
        case 13:
            word = random.choice(["special", "pending", "unusual", "express"])
            return {"word": word, "other": random.choice(["packages", "requests", "accounts", "deposits"])}
        case 14 | 15:
            return {"date": f"{year}-{month if year < 1997 else min(month, 10):02}-01"}
        case 16:
            sizes = ", ".join(str(size) for size in random.sample(range(1, 51), 8))
            two = f"{random.choice(FIRST_SYLLABLES)} {random.choice(SECOND_SYLLABLES)}"
            return {"brand": _brand(random), "type": two, "sizes": sizes}
        case 17:
            return {"brand": _brand(random), "container": f"{random.choice(CONTAINER_SIZES)} {random.choice(CONTAINERS)}"}
        case 18:
            return {"quantity": random.randint(312, 315)}
        case 19:
            quantities = {"q1": random.randint(1, 10), "q2": random.randint(10, 20), "q3": random.randint(20, 30)}
            return {"brand": _brand(random), "brand2": _brand(random), "brand3": _brand(random), **quantities}
        case 21:
            return {"nation": nation}
        case 22:
            return {"codes": ", ".join(f"'{code}'" for code in random.sample(range(10, 35), 7))}
        case _:
            raise ValueError(f"TPC-H has no query {query}; there are 1 to 22")


def _brand(random: Random) -> str:
    return f"Brand#{random.randint(1, 5)}{random.randint(1, 5)}"


def _type(random: Random) -> str:
    return " ".join(random.choice(words) for words in (FIRST_SYLLABLES, SECOND_SYLLABLES, THIRD_SYLLABLES))
