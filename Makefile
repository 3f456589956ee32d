# Every target does its own set-up: python3 (3.11 or newer) and make are all it takes.
PYTHON ?= python3
# What is deployed, and where: made from deploy.example.toml.
FILE ?= deploy.toml
# Whose hook, in the demo. It is called with EVENT, if that is given.
ENGINE ?= codedeploy
CLICK ?= approve
SCHEDULES ?= 10000
BIN := .venv/bin
READY := .venv/ready
# A variable's value as one word for the shell, whatever is in it.
quoted = '$(subst ','\'',$($(1)))'
# SAM reports to AWS what it is used for, unless it is told not to.
export SAM_CLI_TELEMETRY := 0

.PHONY: help demo test test-unit simulate mutants check format cli bench e2e first-hour \
	lint-template secrets deploy undeploy build file-named file-there lock clean

help: ## Show what there is
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(READY) ## Run the hook of ENGINE codedeploy or ecs on EVENT, then CLICK approve or reject, with stand-ins for AWS and Slack
	@$(BIN)/python demo/run.py $(call quoted,ENGINE) $(call quoted,CLICK) \
		$(if $(filter-out undefined,$(origin EVENT)),$(call quoted,EVENT))

test: $(READY) ## Run the unit and functional tests
	@echo 'On all cores; six to eight minutes with two.'
	$(BIN)/pytest --numprocesses auto

test-unit: $(READY) ## Run the unit tests only: no servers, no coverage
	$(BIN)/pytest --numprocesses auto --no-cov tests/unit

simulate: $(READY) ## Run SCHEDULES of the whole system, from SEED on, with faults everywhere
	@$(BIN)/python -m tests.simulation --schedules $(SCHEDULES) $(if $(SEED),--seed $(SEED))

mutants: $(READY) ## Break the code in many ways, and see that the simulator finds each
	@$(BIN)/python -m tests.simulation.mutants

check: $(READY) ## Lint, check the format and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(READY) ## Mend format and imports
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

cli: .venv-pipx/ready ## Install the command greenlight as people do, into throw-away folders
	rm -rf .venv-cli
	PATH="$(CURDIR)/.venv-pipx/bin:$$PATH" PIPX_HOME=$(CURDIR)/.venv-cli/home \
		PIPX_BIN_DIR=$(CURDIR)/.venv-cli/bin PIPX_MAN_DIR=$(CURDIR)/.venv-cli/man \
		pipx install .
	.venv-cli/bin/greenlight --version

bench: build ## Build, and measure a hook and a click against plain ones: cold start, warm, memory, size
	@$(BIN)/python benchmarks/hook.py
	@$(BIN)/python benchmarks/decision.py

e2e: $(READY) .venv-sam/ready .venv-emulator/ready ## Deploy the template into an emulator and use it
	$(BIN)/pytest --no-cov tests/e2e

first-hour: $(READY) .venv-emulator/ready .venv-pipx/ready ## Do what README.md tells, in an empty folder
	@$(BIN)/python -m tests.first_hour

lint-template: .venv-sam/ready .venv-scan/ready ## Check the template and its policies
	.venv-sam/bin/sam validate --lint
	.venv-scan/bin/checkov --config-file .checkov.yaml

secrets: file-named $(READY) ## Ask for the secrets that FILE names, and store those that are not there
	@$(TOOL) secrets $(call quoted,FILE) $(if $(OVERWRITE),--overwrite $(call quoted,OVERWRITE))

deploy: file-there .venv-sam/ready ## Deploy what FILE says, or change what is deployed to it
	@$(TOOL) deploy $(call quoted,FILE)

undeploy: file-there .venv-sam/ready ## Remove the stack of FILE, and say what stays
	@$(TOOL) undeploy $(call quoted,FILE)

build: file-named $(READY) .venv-sam/ready ## Build the package only: small, and with its byte code
	@$(TOOL) build $(call quoted,FILE)

file-named:
	@test -n $(call quoted,FILE) || { echo 'FILE= names no file: leave it out, and it is deploy.toml' >&2; exit 2; }

# Before SAM is installed. All that the tool's command does without FILE is to say so.
file-there: file-named $(READY)
	@test -e $(call quoted,FILE) || $(TOOL) secrets $(call quoted,FILE)

TOOL = PYTHONPATH=function:cli PATH="$(CURDIR)/.venv-sam/bin:$$PATH" $(BIN)/python -m tools.deploy

lock: $(READY) ## Pin the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile $(LOCK) --output-file function/requirements.txt --group function
	$(BIN)/uv pip compile $(LOCK) --output-file requirements/dev.txt --group dev \
		--constraint function/requirements.txt pyproject.toml
	for group in sam emulator scan pipx; do \
		$(BIN)/uv pip compile $(LOCK) --output-file requirements/$$group.txt --group $$group || exit; \
	done

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-annotate \
	--custom-compile-command 'make lock'

clean: ## Remove everything that can be made again
	rm -rf .venv .venv-* .aws-sam .coverage* .mypy_cache .pytest_cache .ruff_cache .hypothesis build

$(READY): requirements/dev.txt
	$(call install,.venv,$<)

.venv-%/ready: requirements/%.txt
	$(call install,.venv-$*,$<)

define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Greenlight needs Python 3.11 or newer; this is " + sys.version + ". Name another: make PYTHON=python3.13 ...")'
	$(PYTHON) -m venv --clear $(1)
	$(1)/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r $(2)
	@touch $(1)/ready
endef
