# Every target does its own set-up: python3 (3.11 or newer) and make are all it takes.
PYTHON ?= python3
EVENT ?= events/after_allow_test_traffic.json
BIN := .venv/bin
READY := .venv/ready

.PHONY: help demo test check format bench lock clean

help: ## Show what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(READY) ## Run the hook on EVENT with stand-ins for AWS and Slack
	@$(BIN)/python demo/run.py $(EVENT)

test: $(READY) ## Run all the tests
	$(BIN)/pytest

check: $(READY) ## Lint, check the format and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY) ## Mend format and imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(READY) ## Measure cold start, warm call, memory and package size against a plain hook
	$(BIN)/python benchmarks/run.py

lock: $(READY) ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile $(LOCK) --output-file function/requirements.txt pyproject.toml
	$(BIN)/uv pip compile $(LOCK) --output-file requirements-dev.txt --group dev \
		--constraint function/requirements.txt pyproject.toml

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

clean: ## Remove everything that can be made again
	rm -rf .venv .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis build

$(READY): requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenlight needs Python 3.11 or newer; this is " + sys.version)'
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $(READY)
