# MeterSeal. Each target is one line into scripts/ or the `meterseal` command; `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo test soak units fuzz mutate model lint bench docs clean

BIN := .venv/bin
PACKAGES := protocol edge registry tools
SETTINGS := $(PACKAGES:%=%/pyproject.toml) scripts/environment

help: ## list the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/.run ## the whole chain on sixteen meters, under three minutes (KEEP=1 leaves the services up)
	@$(BIN)/meterseal demo $(if $(filter-out 0,$(KEEP)),--keep)

test: .venv/.dev .venv/.system ## lint, then every test on both interpreters
	@scripts/lint
	@scripts/test $(ARGS)

soak: .venv/.dev .venv/.system ## campaigns that make test has no time for (CUTS=20000 power cuts, MINUTES=10 of edge faults)
	@CUTS=$(or $(CUTS),20000) MINUTES=$(or $(MINUTES),10) SEED=$(SEED) scripts/soak

units: .venv/.dev .venv/.system ## an edge's units under a real systemd, in a copy of this machine that is thrown away (as root)
	@scripts/units $(ARGS)

fuzz: .venv/.fuzz ## fuzz what strangers send, under atheris (SECONDS=120 in all, KEEP=1 renews the kept corpus)
	@$(BIN)/python protocol/fuzz/run.py --seconds $(or $(SECONDS),120) $(if $(filter-out 0,$(KEEP)),--keep)

mutate: .venv/.dev ## mutation testing of the scanner and of decide: every survivor is explained
	@$(BIN)/python scripts/mutate.py

model: .venv/.dev ## walk the model of chain, epochs and custody deeper than make test does: minutes
	@$(BIN)/python protocol/model/run.py --deep

lint: .venv/.dev ## ruff, mypy, import contracts, the house's numbers
	@scripts/lint

bench: .venv/.dev .venv/.system ## all benches, or one package's: make bench ONLY=protocol (FULL=1: a million statements)
	@FULL=$(or $(FULL),0) $(BIN)/python bench $(if $(ONLY),--only $(ONLY))

docs: .venv/.dev ## the documentation as a site in build/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean: ## remove everything that was built, the environment too
	@rm -rf .venv build typings typings-rp2 site .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis .coverage
	@find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +

.venv/.run: requirements/run.txt $(SETTINGS)
	@scripts/environment run
	@touch $@

.venv/.dev: .venv/.run requirements/dev.txt requirements/stubs.txt requirements/stubs-rp2.txt requirements/peer.txt requirements/pythons.txt protocol/tests/pythons/package-lock.json
	@scripts/environment dev
	@touch $@

.venv/.fuzz: .venv/.run requirements/fuzz.txt
	@scripts/environment fuzz
	@touch $@

.venv/.system: .venv/.run scripts/system_packages Makefile
	@scripts/system_packages mosquitto chromium systemd prometheus nginx
	@touch $@
