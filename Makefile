# Everything a person does with the checkout; `make` lists it. The work is in scripts/.
.DEFAULT_GOAL := help
.PHONY: help setup setup-run run test prove check lint types coverage fmt migration docs messages lock bench bench-faults audit scan dist clean

BIN := .venv/bin
m ?= change

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## Install all that run and test need (again: only what changed)
	@scripts/setup.sh test

setup-run:
	@scripts/setup.sh run

run: setup-run ## Start the portal with its demo on http://127.0.0.1:8000 (PORT=9000 make run)
	@scripts/run.sh

test: setup ## Lint, types, then all tests on SQLite, PostgreSQL and in a browser
	@scripts/test.sh

prove: setup ## The long proofs: races, state machines, the matrix in full
	@scripts/prove.sh

check: lint types ## What needs no server: lint, layers, types, the rules of the house
	@$(BIN)/pytest -q tests/architecture

lint:
	@scripts/lint.sh

types:
	@$(BIN)/mypy

coverage: setup ## Run the tests on SQLite and measure their branches
	@$(BIN)/pytest -q -n 2 --database=sqlite --cov=portal --cov-report=term -m "not proof and not story"

fmt: ## Bring code and templates into shape
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .
	@$(BIN)/djlint templates --reformat --quiet || true

migration: ## Write a migration from the models: make migration m="Add shipments"
	@scripts/migration.sh "$(m)"

docs: ## Write the pages that are generated from the code's tables
	@scripts/docs.sh

messages: ## Collect, merge and compile the translations
	@scripts/messages.sh update

lock: ## Pin every dependency again, with hashes
	@scripts/lock.sh

bench: setup ## Measure in a large world: make bench SCALE=0.01 (docs/performance.md)
	@$(BIN)/python -m bench --scale "$(or $(SCALE),0.01)" --database "$(or $(DATABASE),both)" \
	  --only "$(ONLY)" $(if $(DATA),--data "$(DATA)") $(if $(WORLD),--world "$(WORLD)") \
	  $(if $(OUT),--out "$(OUT)")

bench-faults: setup ## The proofs of faults at release size: make bench-faults KILLS=1000
	@PORTAL_FAULT_KILLS="$(or $(KILLS),1000)" PORTAL_FAULT_MAILS="$(or $(MAILS),2000)" \
	  PORTAL_FAULT_FULL="$(or $(FULL),20)" PORTAL_FAULT_FAILOVERS="$(or $(FAILOVERS),10)" PYTHONDONTWRITEBYTECODE= \
	  $(BIN)/pytest -q -s -m proof -p no:randomly --timeout=0 --database="$(or $(DATABASE),both)" \
	  tests/proofs/faults

audit: setup ## Ask a vulnerability database about the locked packages (needs a network)
	@scripts/audit.sh

scan: setup-run ## Let two web scanners try a demo of their own, signed in (docs/operations.md)
	@scripts/scan.sh

dist: setup ## Build the wheel that carries everything
	@scripts/dist.sh

clean: ## Forget the demo's data and everything built; the next run starts over
	@rm -rf instance dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage .coverage.*
