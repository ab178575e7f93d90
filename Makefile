# Every target sets up what it needs: python3 (3.11 or later, with venv), git and
# make are enough. The set-up is kept in .venv and renewed when pyproject.toml changes.

PYTHON ?= python3
VENV := .venv
# Passed on to pytest: make test PYTEST_ARGS="-k ask -x"
PYTEST_ARGS ?=

# Stamps: an installation that failed half-way leaves none and is done again.
USER_READY := $(VENV)/.ready-to-use
DEV_READY := $(VENV)/.ready-to-develop
BENCH_READY := $(VENV)/.ready-to-measure

# Tools and tests find each other, and the command `effactor`, in the environment.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup test demo lint format types docs bench clean
.NOTPARALLEL:
.DELETE_ON_ERROR:

help:
	@echo "make demo    run one workflow live, simulated and dry"
	@echo "make test    run the tests, the code blocks of the docs and the notebooks"
	@echo "make lint    check style, formatting and the import rules"
	@echo "make types   check types with mypy and pyright"
	@echo "make docs    build the documentation into docs/_build/html"
	@echo "make bench   run the benchmarks"
	@echo "make format  rewrite the code in house style"
	@echo "make setup   prepare .venv for development"
	@echo "make clean   remove .venv and what the tools left behind"

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(USER_READY): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --editable ".[cli]"
	@touch $@

# Debian's pip does not know --group; pip learned it in 25.1.
$(DEV_READY): pyproject.toml | $(VENV)/bin/python
	$(VENV)/bin/python -m pip install --quiet --upgrade "pip>=25.1"
	$(VENV)/bin/python -m pip install --quiet --editable ".[cli]" --group dev
	@touch $(USER_READY) $@

# The libraries that the benchmarks compare with.
$(BENCH_READY): $(DEV_READY)
	$(VENV)/bin/python -m pip install --quiet --group bench
	@touch $@

setup: $(DEV_READY)

# `coverage run -m pytest`, not `pytest --cov`: the plugins of pytest may import
# effactor before a plugin for coverage starts to measure. A file's tests stay together:
# the blocks of a page build on each other.
test: $(DEV_READY)
	coverage erase
	coverage run -m pytest -n auto --dist loadfile --nbmake tests README.md docs notebooks $(PYTEST_ARGS)
	coverage combine --quiet
	coverage report

demo: $(USER_READY)
	@sh docs/examples/checkout/demo.sh

lint: $(DEV_READY)
	ruff check
	ruff format --check
	lint-imports

format: $(DEV_READY)
	ruff check --fix
	ruff format

types: $(DEV_READY)
	mypy
	pyright
	pyright --ignoreexternal --verifytypes effactor
	pyright --ignoreexternal --verifytypes effactor_interpreters

docs: $(DEV_READY)
	sphinx-build --nitpicky --fail-on-warning --fresh-env --quiet docs docs/_build/html

bench: $(BENCH_READY)
	python -m benchmarks

clean:
	rm -rf .venv .venv-demo docs/_build .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
