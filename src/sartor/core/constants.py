"""Every threshold of ours: name, default, range, what it trades, what measured it. Nothing else holds one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """A declared choice.

    Attributes:
        default: the value in use until a tuner says otherwise.
        low, high: the range that makes sense.
        trades: what more and less of it gives.
        measured_by: the command or decision page that the default rests on; "declared" where nothing was measured.
    """

    default: float
    low: float
    high: float
    trades: str
    measured_by: str


DECISION_CACHE_ENTRIES = Constant(
    4096, 64, 1 << 20, "memory of cached decisions against analysing again", "declared"
)
DISCARD_SHARE = Constant(
    0.10,
    0.0,
    1.0,
    "share of runs discarded because a write came between, after which a template goes plain",
    "DESIGN.md",
)
HISTORY_RUNS = Constant(
    32, 8, 1024, "memory of a template's run times against how fast a slow-down is noticed", "declared"
)
LOG_BATCH = Constant(
    256, 1, 1 << 16, "memory of unfolded observations against how often they are folded", "declared"
)
LOG_SAMPLE = Constant(16, 1, 1024, "statements kept of a template against the size of the log", "declared")
LOG_TEMPLATES = Constant(
    20_000, 100, 1 << 20, "memory of the log against the long tail of templates", "declared"
)
LOG_BYTES = Constant(64 << 20, 1 << 20, 1 << 34, "the size of the folder beside the database", "declared")
MAXIMAL_GROUPS = Constant(
    50_000,
    0,
    100_000,
    "groups whose sequence is relied on: more serve more top-k statements, up to where DuckDB restarts "
    "its hash table",
    "docs/decisions/003-row-order.md",
)
