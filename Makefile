# Every target prepares what it needs: a machine with Python 3.11+, git and a package index is enough.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: venv latest demo test check fuzz bench clean

venv: .venv/.stamp

.venv/.stamp: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

# The newest version of everything, written down in constraints.txt for the next `make check test`.
latest: venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade --upgrade-strategy eager -e '.[dev]'
	(grep '^#' constraints.txt; $(BIN)/python -m pip freeze --exclude-editable) > constraints.new
	mv constraints.new constraints.txt

demo: venv
	$(BIN)/sartor demo

test: venv
	$(BIN)/python -m pytest -n 2

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fuzz: venv
	$(BIN)/python -m tests.fuzz --statements 20000
	$(BIN)/python -m tests.protocol --answers 20000
	$(BIN)/python -m tests.kernels.fuzz --cases 5000
	checked=$$(mktemp -d) && NUMBA_BOUNDSCHECK=1 NUMBA_CACHE_DIR=$$checked $(BIN)/python -m tests.kernels.fuzz --cases 2000; \
	  status=$$?; rm -rf $$checked; exit $$status

bench: venv
	$(BIN)/python -m benchmarks run shop
	$(BIN)/python -m benchmarks run elections
	$(BIN)/python -m benchmarks run tpch
	$(BIN)/python -m benchmarks run dashboards
	$(BIN)/python -m benchmarks run shop --rounds 5
	$(BIN)/python -m benchmarks overhead
	$(BIN)/python -m benchmarks lookups
	$(BIN)/python -m benchmarks predicates
	$(BIN)/python -m benchmarks kernels
	$(BIN)/python -m benchmarks copies shop --scale 20
	$(BIN)/python -m benchmarks copies tpch --scale 3

clean:
	rm -rf .venv demo benchmarks/.cache
