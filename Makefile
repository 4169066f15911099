# `make demo` and `make test` are all that a newcomer needs: each makes its own virtual environment first.
# It needs Python >= 3.10 with venv, and make. Another Python than `python3`: make PYTHON=/path/of/python test

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PRECIOUS: .venv-%/made
SHELL := /bin/sh

ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell .ci/pythons --default)
endif

# What an environment is made of: when one of these changes, it is made again.
INGREDIENTS := pyproject.toml src/sentrial/_version.py .ci/environment $(wildcard tests/pins/*.txt tests/clients/*.txt)

# The matrix: VERSION-SET. Newest dependencies on every Python that this machine has, the others on the oldest.
PYTHONS = $(shell .ci/pythons | cut -d' ' -f1)
OF_TEST = $(shell "$(PYTHON)" -c 'import sys; print("%d.%d-newest" % sys.version_info[:2])')
CELLS = $(firstword $(PYTHONS))-lowest $(firstword $(PYTHONS))-wrapt-1 $(filter-out $(OF_TEST),$(PYTHONS:%=%-newest))

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1: /p' Makefile | awk -F': ' '{ printf "make %-14s %s\n", $$1, $$2 }'

.PHONY: demo
demo: .venv-demo/made ## a support agent's session, recorded offline into a local store and shown
	@SENTRIAL_STORE="$(CURDIR)/.demo/sessions.db" .venv-demo/bin/python examples/01_support_agent.py
	@SENTRIAL_STORE="$(CURDIR)/.demo/sessions.db" .venv-demo/bin/sentrial sessions show last

.PHONY: test
test: lint ## linters, type checker and all tests, with the newest dependencies
	.venv/bin/python -m pytest $(TESTS)

.PHONY: lint
lint: .venv/made ## ruff and mypy alone
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

.PHONY: matrix
matrix: $(CELLS:%=matrix-%) ## all tests on every other Python found, and with the lowest dependencies

# One environment and one cache each, so that cells can run at the same time.
matrix-%: .venv-%/made
	.venv-$*/bin/python -m pytest -o cache_dir=.venv-$*/pytest_cache $(TESTS)

.PHONY: environments
environments: .venv/made $(CELLS:%=.venv-%/made) ## what `test` and `matrix` need, and nothing run

.venv/made: $(INGREDIENTS)
	@.ci/environment .venv "$(PYTHON)" newest

.venv-demo/made: $(INGREDIENTS)
	@.ci/environment .venv-demo "$(PYTHON)" demo

.venv-%/made: $(INGREDIENTS)
	@cell=$*; version=$${cell%%-*}; python=$$(.ci/pythons | sed -n "s|^$$version ||p"); \
	[ -n "$$python" ] || { echo "No CPython $$version on this machine; .ci/pythons lists those found." >&2; exit 1; }; \
	.ci/environment .venv-$* "$$python" "$${cell#*-}"

.PHONY: clean
clean: ## remove all that was made here
	rm -rf .venv .venv-* .demo .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
