# make setup     the program and what it needs, into .venv
# make setup-dev also what tests, browsers and benchmarks need
# make demo      a city, a county and two townships on this machine, and the main story played through
# make demo-stop end them
# make check     formatting, lint, types, import rules, house rules
# make test      every test; test-rooms and test-city are its two halves
# make bench / drill / rows   measurements / fault drills / what proves each capability

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
VENV := .venv
BIN := $(VENV)/bin
DEMO ?= demo
PYTHON ?= $(shell for p in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
OURS := node office sync media ops city_node county_node township_node tests setup.py

.PHONY: setup setup-dev demo demo-stop check test test-rooms test-city bench drill rows clean
.DEFAULT_GOAL := setup

setup: $(VENV)/.core
setup-dev: $(VENV)/.dev
	@ops/setup-debian.sh dev
	@ops/setup-debian.sh print

$(VENV)/.made:
	@PYTHON="$(PYTHON)" ops/setup-debian.sh venv $(VENV)
	@touch $@

$(VENV)/.core: $(VENV)/.made ops/lock/core.lock setup.py
	@if [ ! -e $(VENV)/.dev ]; then ops/setup-debian.sh install $(VENV) ops/lock/core.lock; fi
	@ops/setup-debian.sh editable $(VENV)
	@touch $@

$(VENV)/.dev: $(VENV)/.made ops/lock/dev.lock setup.py
	@ops/setup-debian.sh install $(VENV) ops/lock/dev.lock
	@ops/setup-debian.sh editable $(VENV)
	@touch $@ $(VENV)/.core

demo: setup
	@ops/setup-debian.sh print || echo "The demonstration goes on; only printing to PDF is missing in it."
	@$(BIN)/yiwang demo up --dir $(DEMO)
	@$(BIN)/yiwang demo story --dir $(DEMO)

demo-stop: setup
	@$(BIN)/yiwang demo down --dir $(DEMO)

check: $(VENV)/.dev
	$(BIN)/ruff format --check $(OURS)
	$(BIN)/ruff check $(OURS)
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house

test: test-rooms test-city

# By file, so that what a file's tests share is made once; and the living city, which one file of these asks for, is one.
test-rooms: $(VENV)/.dev
	@ops/setup-debian.sh print
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --durations 10 --ignore tests/world --ignore tests/browser

# The living city: four nodes under supervisor, the story, kills, bad traffic, and Chromium in two languages. After the others, because
# it needs the processors to itself.
test-city: $(VENV)/.dev
	$(BIN)/python -m pytest -q --durations 10 tests/world tests/browser

bench: $(VENV)/.dev
	@$(BIN)/python -m ops.bench

drill: $(VENV)/.dev
	@YIWANG_KILLS=40 YIWANG_DRILL=.drill $(BIN)/python -m pytest -v -rP tests/drill tests/node/test_alone.py tests/node/test_ledger.py

rows: $(VENV)/.dev
	@$(BIN)/python -m ops.rows

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
