"""The story of one decision, for people."""

from __future__ import annotations

import datetime

from sartor.tuner.ledger import Ledger


def explain(ledger: Ledger, number: int) -> str:
    """A decision with what led to it and what followed, a line each.

    Raises:
        DecisionNotFound: the ledger has no decision of that number.
    """
    lines = []
    for decision in ledger.story(number):
        at = datetime.datetime.fromtimestamp(decision.at).strftime("%Y-%m-%d %H:%M:%S")
        mark = ">" if decision.number == number else " "
        lines.append(f"{mark} {decision.number:>5}  {at}  {decision.kind:<10} {decision.summary}")
        if decision.number == number:
            lines += [f"{'':>9}{name}: {value}" for name, value in decision.details.items()]
    return "\n".join(lines)
