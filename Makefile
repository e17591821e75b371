# What one needs every day. `make help` lists it.
#
# The virtual environment is made and filled when it is missing or the requirements changed; otherwise that
# costs nothing. Set PYTHON to choose the Python it is made with, VENV to put it elsewhere, JOBS for the number
# of test processes, PYTEST_ARGS for further arguments (`make test PYTEST_ARGS="-k lanes"`).

VENV ?= .venv
JOBS ?= 3
PYTEST_ARGS ?=
# 3.11 and 3.12 come first: for them a redis-server is installed with the requirements (on Linux).
PYTHON ?=
PYTHONS := $(or $(PYTHON),python3.12 python3.11 python3.13 python3.14 python3 python)

BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-installed
DEVELOPMENT := $(VENV)/.development-installed
CHECKED := app workers config tests wsgi.py
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run test check clean
.DELETE_ON_ERROR:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(RUNTIME) ## Run everything here: Redis, web, workers, clock and, without Mixpanel credentials, the sandbox
	@$(BIN)/python -m app.local

test: $(DEVELOPMENT) ## Run all tests, against a redis-server of their own
	@$(BIN)/python -m pytest -n $(JOBS) --dist worksteal $(PYTEST_ARGS)

check: $(DEVELOPMENT) ## Check format, style, types and the direction of imports
	@$(BIN)/python -m ruff format --check $(CHECKED)
	@$(BIN)/python -m ruff check $(CHECKED)
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

clean: ## Remove the virtual environment and caches; data and logs in var/ stay
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find app workers config tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(DEVELOPMENT): requirements-dev.txt $(RUNTIME)
	@echo "Installing what tests and checks need ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

$(RUNTIME): requirements.txt $(BIN)/python
	@echo "Installing the requirements into $(VENV) ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

# A Python counts if it runs (pyenv leaves names behind that do not), is new enough and can make environments.
$(BIN)/python:
	@for python in $(PYTHONS); do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  found=yes; \
	  "$$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || continue; \
	  echo "Making a virtual environment in $(VENV) with $$("$$python" --version) ..."; \
	  rm -rf $(VENV) && "$$python" -m venv $(VENV) && exit 0; \
	  echo "$$python could not make a virtual environment in $(VENV); what it says stands above."; exit 1; \
	done; \
	if [ -n "$$found" ]; then \
	  echo "Python cannot make virtual environments here. Debian, Ubuntu: apt-get install python3-venv"; \
	else \
	  echo "No Python 3.11 or later among: $(PYTHONS). Install Python 3.12, or name one: make PYTHON=/path/to/python3.12"; \
	fi; exit 1
