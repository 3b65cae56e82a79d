"""What an analyst of elections asks of precinct results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from benchmarks.suites.drawing import Template, popular


@dataclass(frozen=True, slots=True)
class Facts:
    """What the literals are drawn from; each list with the most frequent first.

    Attributes:
        contests: (election_date, office) pairs that exist.
        places: (county, precinct, election_date) that exist.
        races: (county, election_date, office, candidate) that exist.
        seats: (election_date, office, district) that exist.
    """

    counties: Sequence[str]
    dates: Sequence[str]
    contests: Sequence[tuple[str, str]]
    offices: Sequence[str]
    candidates: Sequence[str]
    parties: Sequence[str]
    districts: Sequence[str]
    places: Sequence[tuple[str, str, str]]
    races: Sequence[tuple[str, str, str, str]]
    seats: Sequence[tuple[str, str, str]]


Draw = Callable[[Random, Facts], str]


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _year(random: Random, facts: Facts) -> int:
    return int(popular(random, facts.dates)[:4])


def _word(random: Random, texts: Sequence[str]) -> str:
    """A word of one of the texts, as one types it into a search."""
    words = [word for word in popular(random, texts).replace('"', " ").split() if len(word) > 3]
    return random.choice(words) if words else "Smith"


def _filled(text: str) -> Draw:
    """A drawer of a text whose {names} are drawn anew each time; one name stands for one value throughout."""

    def draw(random: Random, facts: Facts) -> str:
        date, office = popular(random, facts.contests)
        county, precinct, voted = popular(random, facts.places)
        other_date, other_office = popular(random, facts.contests)
        race = popular(random, facts.races)
        seat = popular(random, facts.seats)
        one, two = random.sample(list(facts.counties[:20]), 2)
        year = _year(random, facts)
        values = {
            "county": _quoted(popular(random, facts.counties)),
            "one_county": _quoted(one),
            "two_county": _quoted(two),
            "date": _quoted(date),
            "office": _quoted(office),
            "other_date": _quoted(other_date),
            "other_office": _quoted(other_office),
            "any_office": _quoted(popular(random, facts.offices)),
            "candidate": _quoted(popular(random, facts.candidates)),
            "other_candidate": _quoted(popular(random, facts.candidates)),
            "party": _quoted(popular(random, facts.parties)),
            "district": _quoted(popular(random, facts.districts)),
            "place_county": _quoted(county),
            "place": _quoted(precinct),
            "place_date": _quoted(voted),
            "race_county": _quoted(race[0]),
            "race_date": _quoted(race[1]),
            "race_office": _quoted(race[2]),
            "race_candidate": _quoted(race[3]),
            "seat_date": _quoted(seat[0]),
            "seat_office": _quoted(seat[1]),
            "seat": _quoted(seat[2]),
            "year": year,
            "next_year": year + 1,
            "candidate_word": _word(random, facts.candidates).replace("'", "''"),
            "office_word": _word(random, facts.offices).replace("'", "''"),
            "first_name": popular(random, facts.candidates).split()[0].replace("'", "''"),
            "last_name": popular(random, facts.candidates).split()[-1].replace("'", "''"),
            "many": random.choice([200, 500, 1000, 2000]),
            "few": random.choice([10, 20, 50]),
        }
        return text.format(**values)

    return draw


_SEEN: dict[str, str] = {
    "county_contest": """SELECT candidate, party, sum(votes) AS votes FROM results
WHERE county = {race_county} AND election_date = DATE {race_date} AND office = {race_office}
GROUP BY candidate, party ORDER BY votes DESC, candidate, party""",
    "statewide_contest": """SELECT candidate, sum(votes) AS votes FROM results
WHERE election_date = DATE {date} AND office = {office} GROUP BY candidate ORDER BY votes DESC, candidate""",
    "county_year_votes": """SELECT office, sum(votes) AS votes FROM results
WHERE county = {county} AND election_date >= DATE '{year}-01-01' AND election_date < DATE '{next_year}-01-01'
GROUP BY office ORDER BY office""",
    "candidate_by_county": """SELECT county, sum(votes) AS votes FROM results WHERE candidate = {candidate}
GROUP BY county ORDER BY votes DESC, county""",
    "candidate_history": """SELECT election_date, office, sum(votes) AS votes FROM results WHERE candidate = {candidate}
GROUP BY election_date, office ORDER BY election_date, office""",
    "candidate_search": """SELECT candidate, office, min(election_date) AS first, max(election_date) AS last,
       sum(votes) AS votes
FROM results WHERE candidate LIKE '%{candidate_word}%' GROUP BY candidate, office ORDER BY candidate, office""",
    "candidate_prefix": """SELECT DISTINCT candidate, party FROM results WHERE candidate LIKE '{first_name}%'
ORDER BY candidate, party""",
    "candidate_last_name": """SELECT candidate, count(DISTINCT county) AS counties, sum(votes) AS votes FROM results
WHERE candidate LIKE '% {last_name}' GROUP BY candidate ORDER BY votes DESC, candidate""",
    "office_search": """SELECT election_date, office, count(DISTINCT candidate) AS candidates, sum(votes) AS votes
FROM results WHERE office LIKE '%{office_word}%' GROUP BY election_date, office ORDER BY election_date, office""",
    "precinct_lookup": """SELECT office, district, party, candidate, votes FROM results
WHERE county = {place_county} AND precinct = {place} AND election_date = DATE {place_date}""",
    "precinct_history": """SELECT election_date, office, sum(votes) AS votes FROM results
WHERE county = {place_county} AND precinct = {place} GROUP BY election_date, office ORDER BY election_date, office""",
    "precinct_anywhere": """SELECT county, election_date, count(*) AS results, sum(votes) AS votes FROM results
WHERE precinct = {place} GROUP BY county, election_date ORDER BY county, election_date""",
    "top_precincts": """SELECT precinct, votes FROM results
WHERE county = {race_county} AND election_date = DATE {race_date} AND candidate = {race_candidate}
ORDER BY votes DESC, precinct LIMIT {few}""",
    "strongholds": """SELECT county, precinct, sum(votes) AS votes FROM results WHERE candidate = {candidate}
GROUP BY county, precinct ORDER BY votes DESC, county, precinct LIMIT {few}""",
    "party_share_county": """SELECT party, sum(votes) AS votes, sum(votes) / (SELECT sum(votes) FROM results
  WHERE county = {race_county} AND election_date = DATE {race_date} AND office = {race_office}) AS share
FROM results WHERE county = {race_county} AND election_date = DATE {race_date} AND office = {race_office}
GROUP BY party ORDER BY votes DESC, party""",
    "party_by_county": """SELECT county, sum(CASE WHEN upper(party) = upper({party}) THEN votes ELSE 0 END) AS theirs,
       sum(votes) AS votes
FROM results WHERE election_date = DATE {date} AND office = {office} GROUP BY county ORDER BY county""",
    "party_year": """SELECT office, sum(votes) AS votes FROM results
WHERE party = {party} AND election_date >= DATE '{year}-01-01' AND election_date < DATE '{next_year}-01-01'
GROUP BY office ORDER BY votes DESC, office""",
    "turnout_by_county": """SELECT county, sum(votes) AS votes, count(DISTINCT precinct) AS precincts FROM results
WHERE election_date = DATE {date} AND office = {office} GROUP BY county ORDER BY votes DESC, county""",
    "turnout_between_years": """SELECT county, sum(CASE WHEN election_date = DATE {date} THEN votes END) AS one,
       sum(CASE WHEN election_date = DATE {other_date} THEN votes END) AS other
FROM results WHERE office = {office} AND election_date IN (DATE {date}, DATE {other_date})
GROUP BY county ORDER BY county""",
    "turnout_per_year": """SELECT extract(year FROM election_date) AS year, sum(votes) AS votes FROM results
WHERE county = {county} AND office = {any_office} GROUP BY year ORDER BY year""",
    "average_precinct": """SELECT avg(votes) AS mean, max(votes) AS most, count(*) AS precincts FROM results
WHERE county = {race_county} AND candidate = {race_candidate}""",
    "proposition": """SELECT county, sum(CASE WHEN candidate = 'Yes' THEN votes ELSE 0 END) AS yes,
       sum(CASE WHEN candidate = 'No' THEN votes ELSE 0 END) AS no
FROM results WHERE office = {any_office} GROUP BY county ORDER BY county""",
    "district_race": """SELECT candidate, party, sum(votes) AS votes FROM results
WHERE office = {seat_office} AND district = {seat} AND election_date = DATE {seat_date}
GROUP BY candidate, party ORDER BY votes DESC, candidate, party""",
    "district_years": """SELECT election_date, candidate, sum(votes) AS votes FROM results
WHERE district = {district} AND office IN ('U.S. House', 'State Assembly', 'State Senate')
GROUP BY election_date, candidate ORDER BY election_date, votes DESC, candidate""",
    "large_results": """SELECT county, precinct, candidate, votes FROM results
WHERE votes > {many} AND election_date = DATE {date} ORDER BY votes DESC, county, precinct, candidate, office LIMIT 100""",
    "missing_votes": """SELECT county, office, count(*) AS missing FROM results
WHERE votes IS NULL AND election_date = DATE {date} GROUP BY county, office ORDER BY county, office""",
    "offices_on_ballot": """SELECT DISTINCT office FROM results
WHERE county = {race_county} AND election_date = DATE {race_date}
ORDER BY office""",
    "head_to_head": """SELECT county, sum(CASE WHEN candidate = {candidate} THEN votes ELSE 0 END) AS one,
       sum(CASE WHEN candidate = {other_candidate} THEN votes ELSE 0 END) AS other
FROM results WHERE candidate IN ({candidate}, {other_candidate}) GROUP BY county ORDER BY county""",
    "overview": """SELECT election_date, election, count(*) AS rows, sum(votes) AS votes FROM results
GROUP BY election_date, election ORDER BY election_date""",
}

_UNSEEN: dict[str, str] = {
    "two_counties": """SELECT county, party, sum(votes) AS votes FROM results
WHERE county IN ({one_county}, {two_county}) AND election_date = DATE {date} AND office = {office}
GROUP BY county, party ORDER BY county, votes DESC, party""",
    "candidate_precincts": """SELECT precinct, sum(votes) AS votes FROM results
WHERE candidate = {race_candidate} AND county = {race_county} GROUP BY precinct ORDER BY precinct""",
    "small_results": """SELECT office, count(*) AS precincts FROM results
WHERE county = {county} AND votes < {few} AND election_date >= DATE '{year}-01-01' GROUP BY office ORDER BY office""",
}

TEMPLATES: tuple[Template[Facts], ...] = (
    *(Template(name, _filled(text)) for name, text in _SEEN.items()),
    *(Template(name, _filled(text), unseen=True) for name, text in _UNSEEN.items()),
)
