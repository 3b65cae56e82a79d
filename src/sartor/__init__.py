"""Sartor: an analytics database that tailors itself to its data and its workload; a drop-in for DuckDB.

import sartor
con = sartor.connect("shop.duckdb")   # as duckdb.connect
con.tune()                            # after some queries have been asked
sartor.argsort(keys)                  # learned kernels for NumPy and Arrow; the first use imports Numba
"""

from typing import TYPE_CHECKING

from sartor.core.errors import BudgetError, DatabaseUnavailable, DecisionNotFound, LookupRefused, SartorError, WorkloadError
from sartor.interfaces.connection import connect
from sartor.interfaces.sharing import ImportReport, import_workload

if TYPE_CHECKING:
    from sartor.kernels import LearnedIndex, argsort, sort

__version__ = "0.1.0"
__all__ = [
    "BudgetError",
    "DatabaseUnavailable",
    "DecisionNotFound",
    "ImportReport",
    "LearnedIndex",
    "LookupRefused",
    "SartorError",
    "WorkloadError",
    "__version__",
    "argsort",
    "connect",
    "import_workload",
    "sort",
]


def __getattr__(name: str) -> object:
    """The kernels, imported when first asked for."""
    if name in ("LearnedIndex", "argsort", "sort"):
        import sartor.kernels

        found = globals()[name] = getattr(sartor.kernels, name)  # so that it is found without asking here from now on
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
