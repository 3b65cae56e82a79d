"""What stands already, as it enters the joint choice: its storage, its upkeep, and what its trials measured that it saves."""

from __future__ import annotations

from sartor.core.action import Estimate
from sartor.core.design import Design
from sartor.core.evidence import Evidence
from sartor.freshness.facts import is_fact

_MODEL = "trials"


def standing(design: Design) -> list[Estimate]:
    """An estimate for each object of which it is known what it saves; the others are not asked to make room.

    Where several objects serve a template together, each is taken for an equal part of what they save.
    """
    found = []
    for identifier, derived in design.objects.items():
        served = {digest: choice for digest, choice in design.choices.items() if any(item.object == identifier for item in choice)}
        if is_fact(derived) or not served.keys() <= design.saved.keys():
            continue
        saved = {digest: Evidence(design.saved[digest] / len(choice), "measured", _MODEL) for digest, choice in served.items()}
        rows = sum(coverage.rows for coverage in derived.coverages)
        found.append(
            Estimate(
                derived.action,
                saved,
                Evidence(derived.build_seconds, "measured", _MODEL),
                Evidence(derived.bytes_stored, "measured", _MODEL),
                Evidence(derived.build_seconds / max(rows, 1), "measured", _MODEL),
                standing=identifier,
            )
        )
    return found
