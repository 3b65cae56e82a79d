"""Sartor's own errors. The user's own errors stay DuckDB's.

SartorError
├── WorkloadError (ValueError)        a workload file or a statement of it can not be used
├── BudgetError (ValueError)          a budget that allows nothing
├── DecisionNotFound (LookupError)    no decision of that number in the ledger
├── DatabaseUnavailable (OSError)     the database file can not be opened for this
├── LookupRefused (ValueError)        a look-up of many keys that does not say enough
├── SortCancelled                     the caller's progress function asked a sort to stop
└── BuildFailed                       nothing of what was chosen could be built
"""

from __future__ import annotations


class SartorError(Exception):
    """The root of Sartor's errors; each message ends in what to do next."""


class WorkloadError(SartorError, ValueError):
    """A workload can not be used as given."""


class BudgetError(SartorError, ValueError):
    """A budget leaves nothing to do."""


class DecisionNotFound(SartorError, LookupError):
    """The ledger holds no decision of that number."""

    def __init__(self, decision: int) -> None:
        self.decision = decision
        super().__init__(f"no decision {decision} in the ledger; con.ledger() lists them all")


class DatabaseUnavailable(SartorError, OSError):
    """The database file can not be opened for what was asked."""


class LookupRefused(SartorError, ValueError):
    """A look-up of many keys does not say which column is the key, or which columns are wanted."""


class BuildFailed(SartorError):
    """Nothing of what was chosen could be built; what there was before is in force."""


class SortCancelled(SartorError):
    """The progress function returned False; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("the progress function returned False; call again without it to let the sort end")
