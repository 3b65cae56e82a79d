"""The fuzzer: random statements on Sartor and on plain DuckDB with the same writes, compared answer by answer."""
