# Everything starts here: `make help`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export SOJOURN_ROOT := $(CURDIR)

.PHONY: help setup setup-dev reproduce test lab lint types lock verify scan calibrate bench clean

help: ## what each word does
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: ## make the environment for the pipeline
	@scripts/setup.sh run

setup-dev:
	@scripts/setup.sh dev

reproduce: setup ## the main job: run every stage that is stale (a new clone runs them all)
	@sojourn reproduce

test: setup-dev ## all tests
	@OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lab: setup ## JupyterLab on the notebooks
	@sojourn lab

lint: setup-dev ## style, layers and spelling
	@ruff check src tests notebooks calibration bench
	@ruff format --check src tests calibration bench
	@lint-imports
	@codespell src tests notebooks *.md

types: setup-dev ## mypy, strict
	@mypy

lock: setup-dev ## resolve the dependencies anew and rewrite what follows from them
	@scripts/lock.sh

verify: setup ## rebuild everything in a scratch clone and compare with what is committed
	@sojourn verify $(addprefix --case ,$(CASES))

scan: setup ## search all reports for what may not be published
	@sojourn scan

calibrate: setup-dev ## coverage and error rates: the second pipeline
	@cd calibration && dvc repro

bench: setup-dev ## speed and memory beside peers, and of worlds (MEMBERS="10000 1000000") and the door (EVENTS=50000000)
	@python -m bench
	@python -m bench.hazard
	@python -m bench.trials
	@python -m bench.segments
	@python -m bench.world $(MEMBERS)
	@python -m bench.door $(EVENTS)

clean: ## remove what the pipeline made (not the reports)
	@rm -rf data/raw data/tidy data/cells data/scored .sojourn .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@rm -rf .dvc/tmp .dvc/cache
