# Few targets. Everything that they need they install, into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE := $(shell git ls-files frontend 2>/dev/null) hatch_build.py

.PHONY: setup demo test check bench bench-all bench-growth docs fuzz clean

$(VENV)/.ready: pyproject.toml $(PAGE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q --disable-pip-version-check uv
	$(BIN)/uv pip install -q --python $(BIN)/python -e '.[dev]'
	touch $@

setup: $(VENV)/.ready

demo: setup          ## a real backtest on real bars, to a report
	$(BIN)/intrabar demo

test: setup          ## the tests
	$(BIN)/python -m pytest -n 2

check: setup         ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: setup         ## against the hand-written floor and the fast peers, some minutes
	$(BIN)/python benchmarks/run.py

bench-all: setup     ## against every peer that installs
	$(BIN)/python benchmarks/run.py --all

bench-growth: setup  ## how the cost grows with bars, instruments, fills and strategies
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/parts.py

docs: setup          ## pictures from their scenarios, then the pages, into site/
	$(BIN)/uv pip install -q --python $(BIN)/python -e '.[docs]'
	$(BIN)/python docs/pictures/draw.py
	$(BIN)/zensical build -c -s

fuzz: setup          ## the market against the slow one, at length
	$(BIN)/python tests/oracles/compare_many.py 100000 7

clean:
	rm -rf $(VENV) $(VENV)-bench* dist site
