SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export INCENTIVES_HOME ?= $(CURDIR)/var
unexport PYTHONDONTWRITEBYTECODE

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | column -t -s $$'\t'

setup: $(BIN)/.installed  ## make the environment: everything pinned by hash

$(BIN)/.installed: requirements.lock pyproject.toml $(wildcard tests/readers/*.lock)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 or newer is needed; set PYTHON=/path/to/python3"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@echo "installing $$(grep -c '==' requirements.lock) pinned packages into .venv ..."
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e . 
	@for lock in tests/readers/*.lock; do \
	  $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --no-deps -r $$lock \
	    --target .venv/readers/$$(basename $$lock .lock); done
	@touch $@

run: setup  ## three sample days through a real Airflow, published and summed up
	@python -m app.stack demo

up: setup  ## start Airflow and the dashboard on 127.0.0.1 and leave them running
	@python -m app.stack up

down:  ## stop what `make up` started
	@python -m app.stack down

dashboard: setup  ## the incentives dashboard on 127.0.0.1, without sign-in, on what is published
	@python -m app.cli dashboard --demo

notebook: setup  ## five worked questions to the current release, in a browser, on 127.0.0.1
	@python -m marimo edit --host 127.0.0.1 notebooks/five_questions.py

check: setup  ## format, lint, types
	@ruff format --check --quiet . && ruff check --quiet . && mypy

browser:
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && { apt-get -o Acquire::Retries=0 -o Acquire::http::Timeout=20 update -qq; \
	  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1; } || \
	  echo "NO BROWSER: chromium is not here and cannot be installed, so the dashboard's pages are not tested"

test: setup browser  ## every test but the slow ones, one of them on the real Airflow stack
	@INCENTIVES_THREADS=1 pytest -q -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

test-all: setup browser  ## every test
	@pytest -q -n 2 --dist loadfile --no-loadscope-reorder

mutants: setup  ## change one thing at a time in scales, money and ledger; some test must fail for each: about 7 minutes
	@python -m tests.mutants

docs: setup  ## generate the data dictionary, the rules page, the schema of program files, and Data Docs
	@python -m app.docs

bench: setup  ## a day of 1,000,000 lines beside plain DuckDB SQL and dbt: about 30 minutes
	@python -m benchmarks.bench

bench-all: setup  ## the same, and beside SQLMesh and Polars: about 45 minutes
	@python -m benchmarks.bench --sides pipeline,plain,dbt,sqlmesh,polars

bench-backlog: setup  ## 20,000,000 lines of 90 days in one settle, beside plain SQL and the floor: about an hour and 40 GB of disk
	@python -m benchmarks.bench --lines 20000000 --days 90 --history 100000 --partners 100000 --runs 1 --sides pipeline,plain,floor

bench-rules: setup  ## six levers on 10,000,000 lines beside plain DuckDB SQL: about 15 minutes
	@python -m benchmarks.rules

profile: setup  ## where the time of STAGE (ingest, settle or publish) goes: a flame graph in var/profile/
	@python -m benchmarks.profile $(or $(STAGE),settle)

bench-history: setup  ## a day after 1, 6, 12 and 24 months of history: about an hour and 20 GB of disk
	@python -m benchmarks.history --day-lines 50000

bench-backfill: setup  ## 30 days of 20,000 lines in one backfill, explained and restated: about 9 minutes
	@python -m benchmarks.backfill

bench-payouts: setup  ## a payment run over 100,000 partners and a year of ledger: about 5 minutes
	@python -m benchmarks.payouts

bench-latency: setup  ## a day of 20,000 lines under Airflow, landed until published: about 15 minutes
	@python -m benchmarks.latency

bench-dashboard: setup browser  ## the dashboard over 100,000 partners, one browser and 19 clients: about 6 minutes
	@python -m benchmarks.dashboard

bench-export: setup  ## reports of 10,000,000 earnings as files: about 10 minutes and 10 GB of disk
	@python -m benchmarks.export

docs-check: setup  ## fail when a generated page is stale
	@python -m app.docs --check

COMPILE := $(BIN)/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header --no-emit-index-url

lock:  ## pin dependencies anew, by hash, naming no package host
	@$(COMPILE) pyproject.toml --group dev -o requirements.lock
	@$(COMPILE) benchmarks/dbt/requirements.in -o benchmarks/dbt/requirements.lock
	@$(COMPILE) benchmarks/sqlmesh/requirements.in -o benchmarks/sqlmesh/requirements.lock
	@$(COMPILE) benchmarks/polars/requirements.in -o benchmarks/polars/requirements.lock

clean:  ## remove all data of the sample runs
	@rm -rf var sample

.PHONY: help setup run up down dashboard notebook check browser test test-all mutants bench bench-all bench-backlog bench-rules docs docs-check profile bench-history bench-backfill bench-latency bench-payouts bench-dashboard bench-export lock clean
.DEFAULT_GOAL := help
