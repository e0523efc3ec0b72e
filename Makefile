# The two commands are `make demo` and `make test`. Each of them first sets up what it needs, once, inside this folder.
# No step of the pipeline depends on make: README.md shows `nextflow run`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test test-unit test-faults lint bench image lock clean distclean

# This folder's own Python packages and Nextflow come first.
export PATH := $(CURDIR)/.venv/bin:$(CURDIR)/.tools/bin:$(PATH)

# Packages are installed without being compiled: Python does that once, where they are imported, unless this forbids it.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-11s %s\n", $$1, $$2}' Makefile

setup: ## Install what a run needs into .venv and .tools
	@tools/setup.sh

setup-dev: ## Install what tests and linting need as well
	@tools/setup.sh dev

demo: setup ## Run the whole experiment on simulated genomes, and classify simulated reads with its model
	nextflow run main.nf -profile test --outdir results/demo
	nextflow run main.nf --reads results/demo/simulated/reads.csv --model results/demo/model \
	    --truth results/demo/simulated/truth.tsv --outdir results/demo_reads

test: setup-dev ## Run all tests
	@.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-unit: setup-dev ## Run the unit tests, in little more than a minute
	@.venv/bin/python -m pytest -n 2 -q tests/unit $(ARGS)

test-faults: setup-dev ## Kill a run at 20 random moments instead of 5, and run all other tests of faults
	@VIRSHORT_KILLS=20 .venv/bin/python -m pytest -s tests/faults $(ARGS)

lint: setup-dev ## Check style, types, which package imports which, Nextflow, the schema, Markdown
	@.venv/bin/python -m pytest -q tests/pipeline/test_lint.py

bench: setup-dev ## Measure speed and memory, as ratios within the same run
	.venv/bin/python benchmarks/bench.py

lock: ## Pin and hash the newest versions of the requirements (needs uv)
	@for list in requirements requirements-dev tools/requirements-java tools/requirements-lint; do \
	    uv pip compile --quiet --upgrade --universal --generate-hashes --python-version 3.11 --fork-strategy fewest \
	        --no-header --no-annotate $$list.in -o $$list.txt || exit; \
	done
	@sed -i "s/^# requirements.txt: [0-9a-f]*/# requirements.txt: $$(sha256sum < requirements.txt | cut -c 1-64)/" environment.yml

ENGINE ?= $(firstword $(notdir $(foreach name,docker podman apptainer singularity,$(shell command -v $(name)))))
VERSION := $(shell sed -n "s/^ *version *= *'\(.*\)'/\1/p" nextflow.config)

image: ## Build again the image that -profile docker, podman or apptainer uses (ENGINE=..., BUILD_FLAGS=...)
	$(if $(ENGINE),,$(error none of docker, podman, apptainer and singularity is on PATH))
	@BUILD_FLAGS='$(BUILD_FLAGS)' containers/build.sh $(ENGINE) \
	    $(if $(filter apptainer singularity,$(ENGINE)),containers/virshort-$(VERSION).sif,localhost/virshort:$(VERSION))

clean: ## Remove the work folder, the results of the demo, and caches
	rm -rf work .nextflow .nextflow.log* results/demo results/demo_reads .pytest_cache .hypothesis .ruff_cache .mypy_cache .import_linter_cache
	find bin tests benchmarks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

distclean: clean ## Remove the installed packages and tools too
	rm -rf .venv .tools
