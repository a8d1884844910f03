# Every target with a help text is listed by `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The first Python from 3.11 on; name another one with `make PYTHON=...`.
PYTHON ?= $(shell for p in python3.11 python3 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)
# Another build of torch, for example: make setup TORCH_INSTALL_ARGS="torch==2.13.0 --index-url URL"
TORCH_INSTALL_ARGS ?= torch==2.13.0
# More options for pytest, for example: make test PYTEST_ARGS="-k criterion"
PYTEST_ARGS ?=
# Where the demo writes.
DEMO_DIR ?= demo

VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check install --quiet
READY := $(VENV)/.rvos-ready
STYLE_REPORT := ../shared/style/style_report.py

.PHONY: help setup demo test test-slow test-slurm fuzz test-all lint format types arch check bench notebooks style

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: $(READY) ## create .venv and install torch, then rvos with its development tools

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one or set PYTHON=..."; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.torch-ready: | $(VENV)/bin/python
	@echo "Installing $(TORCH_INSTALL_ARGS) (the largest download)"
	@$(PIP) $(TORCH_INSTALL_ARGS)
	@touch $@

$(READY): pyproject.toml constraints.txt $(VENV)/.torch-ready
	@echo "Installing rvos and its tools under constraints.txt"
	@$(PIP) --constraint constraints.txt --editable ".[dev]"
	@touch $@

demo: $(READY) ## learn on a small MovingShapes, segment a held-out video, show before and after
	@$(PY) -m rvos demo --output $(DEMO_DIR)

test: $(READY) ## run the tests and every docstring example (minutes on two cores)
	@$(PY) -m pytest $(PYTEST_ARGS)

test-slow: $(READY) ## run the slow tests and the notebooks
	@$(PY) -m pytest -m "slow and not gpu and not network" tests $(PYTEST_ARGS)
	@$(PY) -m pytest --nbmake --nbmake-timeout=1200 notebooks $(PYTEST_ARGS)

test-slurm: $(READY) ## run jobs on a two-node SLURM of its own (root, Debian; minutes)
	@bash tests/slurm/cluster.sh $(PY) -m pytest tests/slurm/real_cluster.py $(PYTEST_ARGS)

fuzz: $(READY) ## feed the readers 20,000 damaged files, other ones every time
	@RVOS_HYPOTHESIS_PROFILE=nightly $(PY) -m pytest tests/fuzzing $(PYTEST_ARGS)

test-all: test test-slow ## run everything that needs neither a GPU nor the network

lint: $(READY) ## check style, formatting and spelling
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(VENV)/bin/codespell

format: $(READY) ## rewrite the code in the project's format
	@$(PY) -m ruff check --fix .
	@$(PY) -m ruff format .

types: $(READY) ## check the type annotations
	@$(PY) -m mypy

arch: $(READY) ## check the import direction between the packages
	@$(VENV)/bin/lint-imports

check: lint types arch test ## run what has to pass before a commit

bench: $(READY) ## measure throughput of the bundled model on this machine
	@$(PY) -m rvos benchmark throughput

notebooks: $(READY) ## execute the notebooks
	@$(PY) -m pytest --nbmake --nbmake-timeout=1200 notebooks $(PYTEST_ARGS)

style: $(READY) ## print measured figures on readability
	@if [ -f $(STYLE_REPORT) ]; then \
		$(PY) $(STYLE_REPORT) rvos --tests tests --ruff $(VENV)/bin/ruff; \
	else \
		echo "$(STYLE_REPORT) is not there; the limits it reports are asserted by tests/architecture"; \
	fi
