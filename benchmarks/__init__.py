"""Benchmarks: one runner for all suites, one folder per suite, and the gate of what Sartor may cost.

python -m benchmarks run SUITE        plain DuckDB, an expert's design and Sartor, side by side in one run
    dashboards --runs 50              each question so often; totals at 50 and 500 runs are scaled from the means
    shop --rounds 5 --days 2          two days are judged; loads, corrections and deletions between five parts of each day
    --expert sorts|summaries          sorted copies alone, or summary tables with hand-written upkeep too
python -m benchmarks expert SUITE     search the expert's design and write it beside the suite
python -m benchmarks overhead --check what Sartor adds to a statement; exit status 1 when it is too much
python -m benchmarks kernels           sort, argsort, recluster and look-ups beside NumPy, Polars, PyArrow and DuckDB
"""
