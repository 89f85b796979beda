# Every target runs in the user's cached Python environment, made on first use (sandbox/bootstrap.py).
PYTHON ?= python3
PY = $(eval PY := $$(shell $(PYTHON) -m sandbox.bootstrap))$(or $(PY),$(error no Python environment: see above))
# What the checkers remember lives beside that environment, so that a clean clone starts warm.
CACHE = $(abspath $(dir $(PY))/../..)
RUFF = RUFF_CACHE_DIR=$(CACHE)/ruff $(PY) -m ruff
MYPY = MYPY_CACHE_DIR=$(CACHE)/mypy $(PY) -m mypy
# Every process imports the SDKs, which take seconds to compile: once, also where Python is told to keep nothing.
RUN = PYTHONDONTWRITEBYTECODE= PYTHONPYCACHEPREFIX=$(CACHE)/bytecode $(PY)
PYTEST = $(RUN) -m pytest -n 4 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help up cold down env test proofs check conformance bench drill lock

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: ## build what is missing, start the local plane, run the program on it
	@$(RUN) -m sandbox up

cold: ## up and down as on a machine that has nothing: every cache begins empty, in a folder of its own
	@folder=$$(mktemp -d); began=$$(date +%s); \
	export SM_SANDBOX_HOME=$$folder/state SM_SANDBOX_CACHE=$$folder/cache GOCACHE=$$folder/go GOMODCACHE=$$folder/modules \
	    UV_CACHE_DIR=$$folder/uv PIP_CACHE_DIR=$$folder/pip; \
	$(MAKE) --no-print-directory up; code=$$?; \
	echo "From nothing: $$(($$(date +%s) - began)) s, exit code $$code."; \
	$(MAKE) --no-print-directory down; chmod -R u+w $$folder; rm -rf $$folder; exit $$code

down: ## remove all that `make up` made
	@$(RUN) -m sandbox down

env: ## print the shell exports with which plain pulumi and kubectl use the local plane
	@$(RUN) -m sandbox env

check: ## format, lint, strict types, generated files fresh
	$(RUFF) format --check
	$(RUFF) check
	$(MYPY)
	$(RUN) -m operations schema --check
	$(RUN) -m operations reference --check

test: check ## the checks, then every test but the long ones
	$(RUN) -m sandbox.toolchain
	$(PYTEST) -m 'not long'

proofs: ## the long tests: further platforms stood up, fail-over under load, what every key reaches; CI runs them too
	$(RUN) -m sandbox.toolchain
	$(PYTEST) -m long

conformance: ## the provider tests against an installed pulumi-kubernetes plugin
	SM_CONFORMANCE_REAL=1 $(RUN) -m pytest tests/conformance

bench: ## how long `make up` takes, and what a preview costs beside a flat program's, for 1 to 55 languages
	@$(RUN) -m tests.bench.up
	@$(RUN) -m tests.bench

drill: ## count the sessions that each kind of update cuts, and that the naive way would; `SCENARIO=name` for one, `LADDER=1`: each clock put back
	@$(RUN) -m sandbox.drill$(if $(LADDER),.ladder) $(SCENARIO)

lock: ## pin what requirements.txt asks for, and all it pulls in, in requirements.lock
	@$(PYTHON) -m sandbox.bootstrap --lock
