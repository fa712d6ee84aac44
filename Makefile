# Two commands set everything up and go: `make demo` and `make test`. Each makes its own virtual environment.
PYTHON ?= python3
VENV := .venv
EMULATOR_VENV := .venv-emulator
BIN := $(VENV)/bin
RUN := PYTHONPATH=layers/routing/python:containers/opensips_scheduler:containers/switch_app:containers/freeswitch_event_logger:containers/switch_operator $(BIN)/python
KEEP ?=
HOST ?=
LOGS ?=
ENVIRONMENT ?= staging
TESTS ?=
# Most tests wait for other programs: more of them than cores run at a time.
TEST_WORKERS ?= 4
ARCH ?=
IMAGES ?=
TAG ?= latest
BUILDER ?=
ARGS ?= --help
MINUTES ?= 10
RATE ?=
SEED ?=
REGISTRY ?=

.PHONY: help demo soak live softphone recordings operator stop test test-fast lint format synth deploy check bench images push join compose compose-down lock clean node

help: ## Show what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

demo: $(VENV)/.installed $(EMULATOR_VENV)/.installed node_modules/.installed ## Run the system on this machine, show real events change real tables, and place calls (KEEP=1 goes on, LOGS=1 shows logs)
	$(RUN) -m local.demo $(if $(KEEP),--keep) $(if $(LOGS),--logs)

live: KEEP = 1
live: demo ## Run the system and its live page until Ctrl-C; the page's address is shown once it is deployed (docs/live.md)

soak: $(VENV)/.installed $(EMULATOR_VENV)/.installed node_modules/.installed ## Disturb the whole system under load for MINUTES (10), with RATE calls a second, by a SEED; print the ledger (docs/soak.md)
	$(RUN) -m local.soak --minutes $(MINUTES) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED))

softphone: $(VENV)/.installed $(EMULATOR_VENV)/.installed node_modules/.installed ## Run the system for a softphone and documents of your own; HOST=<address of this machine> for phones elsewhere (docs/tutorial.md)
	$(RUN) -m local.demo --softphone $(if $(HOST),--phone-address $(HOST)) $(if $(LOGS),--logs)

recordings: $(VENV)/.installed ## Copy the recordings of what runs here to .local/recordings
	@$(RUN) -m local.recordings

operator: $(VENV)/.installed ## Look at and change a deployment: make operator ARGS="--environment staging check" (docs/operator.md)
	@$(RUN) -m switch_operator $(ARGS)

stop: $(VENV)/.installed ## Stop what `make demo KEEP=1` keeps running
	$(RUN) -m local.stop

test: $(VENV)/.installed $(EMULATOR_VENV)/.installed node_modules/.installed ## Run every test, or those of TESTS="tests/cdk …"; TEST_WORKERS (4) at a time
	$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

test-fast: $(VENV)/.installed node_modules/.installed ## Run the tests that start no emulator
	$(BIN)/python -m pytest --numprocesses $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder -m "not e2e"

lint: $(VENV)/.installed ## Check style (ruff) and types (mypy strict)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(VENV)/.installed ## Rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

synth: $(VENV)/.installed node_modules/.installed ## Synthesise the CloudFormation templates of ENVIRONMENT (staging) into cdk.out, and check them
	node_modules/.bin/cdk synth --quiet --context environment=$(ENVIRONMENT)
	$(BIN)/cfn-lint cdk.out/*.template.json

deploy: $(VENV)/.installed node_modules/.installed ## Deploy every stack of ENVIRONMENT in its order, with the images of TAG
	.ci/deploy $(ENVIRONMENT) $(TAG)

check: $(VENV)/.installed ## Ask a deployment of ENVIRONMENT whether it is well
	PYTHONPATH=.:layers/routing/python:containers/switch_operator $(BIN)/python -m switch_operator --environment $(ENVIRONMENT) check

bench: $(VENV)/.installed $(EMULATOR_VENV)/.installed ## Print every figure of benchmarks/
	for script in benchmarks/*.py; do \
	  name=$$(basename $$script .py); echo "== $$name"; \
	  $(RUN) -m benchmarks.$$name || exit 1; \
	done

images: ## Build the containers' images with docker, podman or buildah (ARCH=arm64, IMAGES="media-proxy …", TAG, BUILDER)
	ARCH=$(ARCH) BUILDER=$(BUILDER) TAG=$(TAG) containers/build.sh $(IMAGES)

push: ## Push the images to every REGISTRY with docker, podman or buildah (IMAGES, TAG, BUILDER as for images)
	BUILDER=$(BUILDER) REGISTRY="$(REGISTRY)" TAG=$(TAG) containers/push.sh $(IMAGES)

join: ## Make one TAG of what was pushed as TAG-amd64 and TAG-arm64
	BUILDER=$(BUILDER) REGISTRY="$(REGISTRY)" TAG=$(TAG) containers/join.sh $(IMAGES)

compose: ## Run the whole system on this machine with docker compose, for a softphone (SIGNALWIRE_TOKEN, HOST_ADDRESS)
	local/compose/start.sh

compose-down: ## End it, and remove what it kept
	local/compose/stop.sh

lock: $(VENV)/.installed ## Write the hash-locked requirements of functions, layers and images anew from their .in files
	for source in lambdas/*/requirements.in layers/*/requirements.in containers/*/requirements.in; do \
	  [ -e $$source ] || continue; \
	  $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --no-header --no-emit-index-url --no-emit-find-links --output-file $${source%.in}.txt $$source || exit 1; \
	done

clean: ## Remove what the other targets made
	rm -rf $(VENV) $(EMULATOR_VENV) node_modules build cdk.out .local

$(VENV)/.installed: requirements.txt local/requirements.txt tests/requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0] + ". Name another with make PYTHON=python3.13 ..." if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r tests/requirements.txt
	@touch $@

$(EMULATOR_VENV)/.installed: local/emulator-requirements.txt
	$(PYTHON) -m venv $(EMULATOR_VENV)
	$(EMULATOR_VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r local/emulator-requirements.txt
	@touch $@

node:
	@command -v node >/dev/null || { echo "Node.js 20 or newer is needed (the CDK runs on it) and 'node' is not on the PATH. See https://nodejs.org." >&2; exit 1; }
	@command -v npm >/dev/null || { echo "npm is needed to install the CDK command-line tool and is not on the PATH; it comes with Node.js." >&2; exit 1; }
	@node -e 'if (+process.versions.node.split(".")[0] < 20) { console.error("Node.js 20 or newer is needed; this is " + process.version + "."); process.exit(1) }'

node_modules/.installed: package.json package-lock.json | node
	npm ci --silent --no-audit --no-fund
	@touch $@
