# Each target sets up what it needs (.venv, system libraries) and does nothing twice; `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo viewer test test-all lint bench clean setup-demo setup-viewer setup-dev

PYTHON ?=
PIP_ARGS ?=
export PYTHON PIP_ARGS

BIN := .venv/bin
XVFB := $(if $(filter Linux,$(shell uname -s)),xvfb-run -a -s "-screen 0 1280x1024x24")
# Two workers with one thread each: more would only wait for each other on the software renderer. Notebooks come first: they
# take longest, and the last of them would keep one worker while the other has nothing to do.
ONE_THREAD := LP_NUM_THREADS=1 OMP_NUM_THREADS=1
PYTEST := $(ONE_THREAD) $(XVFB) $(BIN)/python -m pytest
NOTEBOOKS := $(wildcard notebooks/*.ipynb)

help: ## List the targets
	@echo "Targets:"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile | while IFS=$$'\t' read -r name text; do \
		printf '  make %-10s %s\n' "$$name" "$$text"; done
	@echo "Variables:"
	@echo "  PYTHON=python3.12   the Python to set up with (3.11 to 3.13; default: the first found)"
	@echo "  PIP_ARGS='...'      further arguments of pip install, such as an index with CPU builds of torch:"
	@echo "                      on Linux the plain torch is the CUDA build, several gigabytes"
	@echo "  ARGS='...'          further arguments of the demo's pipeline, of cnnvis view, or of pytest"

setup-demo:
	@.ci/setup.sh demo

setup-viewer:
	@.ci/setup.sh viewer

setup-dev:
	@.ci/setup.sh dev

demo: setup-demo ## Set up, then run the main job: pictures, volumes and a report in out/conv1_volume/
	$(BIN)/python pipelines/conv1_volume.py $(ARGS)

viewer: setup-viewer ## Set up, then open the window with the bundled perceptron for digits (needs a display)
	$(BIN)/cnnvis view --example mnist $(ARGS)

test: setup-dev ## Set up, then run the whole test suite but the slow tests (about 10 minutes)
	$(PYTEST) -n 2 -m "not slow and not bench" --nbmake $(NOTEBOOKS) tests $(ARGS)

test-all: setup-dev ## The same with the slow tests
	$(PYTEST) -n 2 -m "not bench" --nbmake $(NOTEBOOKS) tests $(ARGS)

bench: setup-dev ## Run the benchmarks, one process, and print their table
	$(XVFB) $(BIN)/python -m pytest -q -p no:xdist -m bench --benchmark-group-by=group --benchmark-sort=name \
		--benchmark-columns=median,min,iqr,rounds tests/benchmarks/bench_*.py $(ARGS)

lint: setup-dev ## Check style, formatting, import directions and types
	@failed=; for check in "ruff check ." "ruff format --check ." "lint-imports --no-logo" "mypy"; do \
		echo "$$check"; $(BIN)/$$check || failed="$$failed, $$check"; \
	done; test -z "$$failed" || { echo "failed: $${failed#, }"; exit 1; }

clean: ## Remove .venv, out/ and every cache
	rm -rf .venv out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find cnnvis pipelines tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
