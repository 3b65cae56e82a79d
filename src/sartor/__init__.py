"""Sartor: an analytics database that tailors itself to its data and its workload; a drop-in for DuckDB.

import sartor
con = sartor.connect("shop.duckdb")   # as duckdb.connect
con.tune()                            # after some queries have been asked
"""

from sartor.core.errors import BudgetError, DatabaseUnavailable, DecisionNotFound, SartorError, WorkloadError
from sartor.interfaces.connection import connect
from sartor.interfaces.sharing import ImportReport, import_workload

__version__ = "0.1.0"
__all__ = [
    "BudgetError",
    "DatabaseUnavailable",
    "DecisionNotFound",
    "ImportReport",
    "SartorError",
    "WorkloadError",
    "__version__",
    "connect",
    "import_workload",
]
