# Few targets. Everything that they need they install, from the locks in requirements/, into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := .venv-uv/bin/uv
PAGE := $(shell git ls-files frontend 2>/dev/null) hatch_build.py
CPUS := $(if $(filter x86_64,$(shell uname -m)),x86-64-v3) generic
LOCKS := demo docs live core
TORCH := $(shell sed -n 's/.*"\(torch==[^"]*\)".*/\1/p' pyproject.toml)
VERSIONS := 3.11 3.12 3.13
# `demo` takes nothing away from an environment that has the developers' packages.
READY := $(if $(wildcard $(VENV)/.dev),$(VENV)/.dev,$(VENV)/.demo)

.PHONY: setup demo demo-paper demo-broker demo-learning test test-slow check lock test-newest test-oldest test-pythons test-optimized test-wheel
.PHONY: compiled-wheel test-compiled-wheel bench bench-all bench-growth learning-rates docs fuzz fuzz-live clean

# Exactly what requirements/$(1).lock says, then the project itself, in the environment $(2).
define install
	test -x $(2)/bin/python || $(UV) venv -q --python $(or $(3),$(PYTHON)) $(2)
	$(UV) pip sync -q --python $(2)/bin/python --require-hashes --compile-bytecode requirements/$(1).lock
	$(UV) pip install -q --python $(2)/bin/python --no-deps -e .
	$(2)/bin/python -m compileall -q src/intrabar
endef

# pip finds a CPU build where one is offered to it; other installers take one of several GB.
define torch
	.venv-uv/bin/pip --python $(1)/bin/python install -q --disable-pip-version-check $(TORCH)
endef

$(UV):
	$(PYTHON) -m venv .venv-uv
	.venv-uv/bin/pip install -q --disable-pip-version-check uv==0.13.9

$(VENV)/.dev: pyproject.toml requirements/dev.lock $(PAGE) | $(UV)
	$(call install,dev,$(VENV))
	$(call torch,$(VENV))
	touch $@

$(VENV)/.demo: pyproject.toml requirements/demo.lock $(PAGE) | $(UV)
	$(call install,demo,$(VENV))
	touch $@

setup: $(VENV)/.dev

demo: $(READY)       ## a real backtest on real bars, to a report
	$(BIN)/intrabar demo

demo-paper: setup    ## three years of them as a session on paper, held against the backtest
	$(BIN)/intrabar demo-paper

demo-broker: setup   ## three years of one share through the simulated broker, held against the market
	rm -rf sessions/rehearsal
	$(BIN)/intrabar paper examples/rehearsal.yaml --broker simulated --recorded data
	$(BIN)/intrabar parity rehearsal

demo-learning: setup ## from bars to a trained exit and its scorecard, with the verdict at the end
	$(BIN)/intrabar demo-learning

test: setup          ## the tests
	$(BIN)/python -m pytest -n 2

check: setup         ## linters, types, layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# A folder of links that has a package for one Python only would fail the others: without it.
lock: $(UV)          ## the only writer of requirements/*.lock: the newest versions that fit
	env -u UV_FIND_LINKS $(UV) pip compile -q --upgrade pyproject.toml --extra dev \
	  --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --no-emit-package torch -o requirements/dev.lock
	for name in $(LOCKS); do \
	  extra=$$([ $$name = core ] || echo --extra $$name); \
	  env -u UV_FIND_LINKS $(UV) pip compile -q --upgrade pyproject.toml $$extra -c requirements/dev.lock \
	    --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate \
	    -o requirements/$$name.lock || exit 1; \
	done

test-newest: $(UV)   ## the tests on the newest versions of everything
	test -x .venv-newest/bin/python || $(UV) venv -q --python $(PYTHON) .venv-newest
	$(call torch,.venv-newest)
	$(UV) pip install -q --python .venv-newest/bin/python --upgrade -e '.[dev]'
	.venv-newest/bin/python -m pytest -n 2

test-oldest: $(UV)   ## the tests on the lower bounds of pyproject.toml
	test -x .venv-oldest/bin/python || $(UV) venv -q --python $(PYTHON) .venv-oldest
	$(call torch,.venv-oldest)
	$(UV) pip install -q --python .venv-oldest/bin/python --resolution lowest-direct -e '.[dev]'
	.venv-oldest/bin/python -m pytest -n 2

test-pythons: $(UV)  ## the tests on each Python that is installed
	for v in $(VERSIONS); do \
	  at=$$($(UV) python find --no-python-downloads $$v 2>/dev/null) || { echo "Python $$v: not installed"; continue; }; \
	  $(MAKE) --no-print-directory test VENV=.venv-$$v PYTHON=$$at && echo "Python $$v: passed" || exit 1; \
	done

test-optimized: setup ## the tests under `python -O`, in the processes that they start too
	PYTHONOPTIMIZE=1 $(BIN)/python -m compileall -q $(VENV)/lib src/intrabar || true
	PYTHONOPTIMIZE=1 $(BIN)/python -m pytest -n 2 -W 'ignore:assertions not in test modules'

test-wheel: setup    ## the wheel in an empty environment, without git or Node
	.ci/wheel $(BIN)/python $(UV)

compiled-wheel: setup ## into dist/: a wheel for this Python and platform that need not compile
	.ci/compiled-wheel $(BIN)/python $(UV) dist $(CPUS)

test-compiled-wheel: setup ## one for one processor, started in an empty environment
	.ci/compiled-wheel $(BIN)/python $(UV) $(VENV)/wheels $(firstword $(CPUS))

bench: setup         ## against the hand-written floor and the fast peers, some minutes
	$(BIN)/python benchmarks/run.py

bench-all: setup     ## against every peer that installs
	$(BIN)/python benchmarks/run.py --all

learning-rates: setup ## how often the scorecard says *worth it*, with and without reason, some minutes
	$(BIN)/python benchmarks/learning_rates.py

bench-growth: setup  ## how the cost grows with bars, instruments, fills and strategies
	$(BIN)/python benchmarks/growth.py
	$(BIN)/python benchmarks/parts.py

docs: setup          ## pictures from their scenarios, then the pages, into site/
	$(BIN)/python docs/pictures/draw.py
	test -x .venv-docs/bin/python || $(UV) venv -q --python $(PYTHON) .venv-docs
	$(UV) pip sync -q --python .venv-docs/bin/python --require-hashes requirements/docs.lock
	.venv-docs/bin/zensical build -c -s

test-slow: setup     ## the tests that take longer than a minute each
	$(BIN)/python -m pytest -m slow --timeout 7200

fuzz: setup          ## the market against the slow one, at length
	$(BIN)/python tests/oracles/compare_many.py 100000 7

fuzz-live: setup     ## random sessions of every bot, rerun and killed: INTRABAR_FUZZ_SECONDS
	$(BIN)/python -m tests.live.fuzz

clean:
	rm -rf $(VENV) .venv-* dist site
