# Every target runs in the user's cached Python environment, made on first use (sandbox/bootstrap.py).
PYTHON ?= python3
PY = $(eval PY := $$(shell $(PYTHON) -m sandbox.bootstrap))$(or $(PY),$(error no Python environment: see above))
# What the checkers remember lives beside that environment, so that a clean clone starts warm.
CACHE = $(abspath $(dir $(PY))/../..)
RUFF = RUFF_CACHE_DIR=$(CACHE)/ruff $(PY) -m ruff
MYPY = MYPY_CACHE_DIR=$(CACHE)/mypy $(PY) -m mypy

.DEFAULT_GOAL := help
.PHONY: help up down env test check conformance bench lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## build what is missing, start the local plane, run the program on it
	@$(PY) -m sandbox up

down: ## remove all that `make up` made
	@$(PY) -m sandbox down

env: ## print the shell exports with which plain pulumi and kubectl use the local plane
	@$(PY) -m sandbox env

check: ## format, lint, strict types, generated files fresh
	$(RUFF) format --check
	$(RUFF) check
	$(MYPY)
	$(PY) -m operations schema --check
	$(PY) -m operations reference --check

test: check ## the checks, then every test
	$(PY) -m sandbox.toolchain
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

conformance: ## the provider tests against an installed pulumi-kubernetes plugin
	SM_CONFORMANCE_REAL=1 $(PY) -m pytest tests/conformance

bench: ## what a preview costs beside a flat program's, for 1, 10 and 55 languages
	@$(PY) -m tests.bench

lock: ## pin what requirements.txt asks for, and all it pulls in, in requirements.lock
	@$(PYTHON) -m sandbox.bootstrap --lock
