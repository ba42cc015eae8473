# All commands of the project. `make help` lists them; nothing needs more than Python and make.
PYTHON ?= python3
VENV ?= .venv
JOBS ?= 2
PYTEST_ARGS ?=
BROKERS ?= 1
H ?= 0.5
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO := var/demo
MINUTES ?= 10
AT_END ?= stop

.DEFAULT_GOAL := help
.PHONY: help setup assets demo test test-long lint bench soak oracle schemas lock lock-check kafka-up kafka-down postgres-up postgres-down

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 15

setup: $(STAMP) assets ## create .venv with everything locked by hash; does nothing when up to date

$(STAMP): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' || { \
	  echo "Rollcall needs Python 3.11 to 3.13, and $(PYTHON) is not one of them."; \
	  echo "Name another: make setup PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo "$(PYTHON) cannot make virtual environments: its venv or ensurepip module is missing."; \
	  echo "On Debian and Ubuntu: sudo apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: \
	  --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps \
	  --no-build-isolation --editable .
	@touch $@

# It compares digests of its inputs itself, in a third of a second.
assets: $(STAMP) ## map, fonts and libraries of the screens, from npm; does nothing when up to date
	@$(BIN)/python infra/assets/build.py --cache $(VENV)/assets

demo: setup ## the Türkiye 2023 earthquakes on the wall; MINUTES=10 for the day, AT_END=repeat
	$(BIN)/rollcall --data $(DEMO) up --demo turkiye-2023 --minutes $(MINUTES) --at-end $(AT_END)

test: setup ## all tests but the slow ones; ROLLCALL_SAMPLES and ROLLCALL_REQUIRE are honoured
	$(BIN)/python -m pytest -n $(JOBS) $(PYTEST_ARGS)

test-long: setup ## the slow tests, with many more generated examples
	ROLLCALL_HYPOTHESIS=long $(BIN)/python -m pytest -m slow --timeout 3600 $(PYTEST_ARGS)

lint: setup ## style, types, import rules, dependencies, published schemas
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/rollcall schemas check

bench: setup ## the figures of design 9 on this machine; of a cluster too, where Java is
	$(BIN)/python -m tests.bench
	$(BIN)/python -m tests.bench.cluster --peers $(VENV)/peers

soak: setup ## a cluster under 500 check-ins a second for H=0.5 hours, drawn
	$(BIN)/python -m tests.soak.cluster --hours $(H) --out var/soak

oracle: setup ## engine | oracle | difference, per report and tier
	$(BIN)/python -m tests.oracle.report

schemas: setup ## write schemas/published from the message types
	$(BIN)/rollcall schemas export

kafka-up: setup ## Apache Kafka on 127.0.0.1:9092, without Docker; BROKERS=3 for a cluster
	@$(BIN)/python -m infra.kafka up --brokers $(BROKERS)

kafka-down: setup ## stop it; its records stay in var/kafka
	@$(BIN)/python -m infra.kafka down

postgres-up: setup ## PostgreSQL on 127.0.0.1:5433, without Docker; prints the URL
	@$(BIN)/python -m infra.postgres up

postgres-down: setup ## stop it; its data stay
	@$(BIN)/python -m infra.postgres down

# One version of everything for every Python and platform, wheels only, hashes, no addresses.
COMPILE := $(BIN)/uv pip compile --quiet --no-header --no-annotate --no-emit-index-url \
  --generate-hashes --only-binary :all:
LOCK := $(COMPILE) --universal --python-version 3.11 --fork-strategy fewest

lock: setup ## resolve pyproject.toml into requirements*.txt (needs the package index)
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --extra dev --constraint requirements.txt \
	  --output-file requirements-dev.txt

lock-check: setup ## prove that the lock has wheels for Python 3.11 to 3.13, x86_64 and arm64
	@for python in 3.11 3.12 3.13; do for machine in x86_64 aarch64; do \
	  $(COMPILE) requirements-dev.txt --python-version $$python \
	    --python-platform $$machine-manylinux_2_28 --output-file $(VENV)/lock-check.txt || exit 1; \
	  echo "Python $$python on Linux $$machine: $$(grep -c == $(VENV)/lock-check.txt) wheels"; \
	done; done
