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
INGREDIENTS := pyproject.toml src/sentrial/_version.py .ci/environment $(wildcard tests/pins/*.txt tests/clients/*.txt tests/frameworks/*.txt)

# The matrix: VERSION-SET. Newest dependencies on every Python that this machine has, the others on the oldest.
PYTHONS = $(shell .ci/pythons | cut -d' ' -f1)
OF_TEST = $(shell "$(PYTHON)" -c 'import sys; print("%d.%d-newest" % sys.version_info[:2])')
OLDEST = $(firstword $(PYTHONS))
CELLS = $(OLDEST)-lowest $(OLDEST)-langchain-oldest $(OLDEST)-wrapt-1 $(filter-out $(OF_TEST),$(PYTHONS:%=%-newest))

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1: /p' Makefile | awk -F': ' '{ printf "make %-14s %s\n", $$1, $$2 }'

.PHONY: demo
demo: .venv-demo/made ## a support agent's session, recorded offline into a local store and shown
	@SENTRIAL_STORE="$(CURDIR)/.demo/sessions.db" .venv-demo/bin/python examples/01_support_agent.py
	@SENTRIAL_STORE="$(CURDIR)/.demo/sessions.db" .venv-demo/bin/sentrial sessions show last

.PHONY: test
test: lint ## linters, type checker and all tests, with the newest dependencies
	.venv/bin/python -m pytest $(if $(TESTS),$(TESTS),-m "not every_peer")

.PHONY: lint
lint: .venv/made ## ruff and mypy alone
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

.PHONY: matrix
matrix: $(CELLS:%=matrix-%) ## all tests on every other Python found, and with the lowest dependencies

# What needs programs that are heavy to install or to build runs in `make test` alone: it shows the same on any Python.
HEAVY := $(wildcard tests/collector tests/living_with tests/zero_code)

# What needs LangChain: the lowest set has none, and the set with the oldest LangChain is there for nothing else.
LANGCHAIN := $(wildcard tests/_frameworks tests/with_langchain tests/langchain_* tests/test_langchain_*)
WITHOUT_LANGCHAIN := $(LANGCHAIN:%=--ignore=%)
OF_CELL = $(if $(filter %-langchain-oldest,$*),$(LANGCHAIN),$(HEAVY:%=--ignore=%) $(if $(filter %-lowest,$*),$(WITHOUT_LANGCHAIN)))

# One environment and one cache each, so that cells can run at the same time.
matrix-%: .venv-%/made
	.venv-$*/bin/python -m pytest -o cache_dir=.venv-$*/pytest_cache $(if $(TESTS),$(TESTS),$(OF_CELL))

# Where Pythons and dependencies differ: contexts, patches, threads, forks, SQLite.
SMOKE := tests/_patch tests/_spans tests/_store tests/contract/test_contract_calls.py tests/contract/test_contract_cancelled.py \
	tests/contract/test_contract_streams.py tests/test_contexts.py tests/test_contexts_of_threads.py tests/test_current_session.py \
	tests/test_decorators_generators.py tests/test_decorators_session.py tests/test_fork.py tests/test_handover.py \
	tests/test_process_end.py tests/test_same_tree.py tests/test_seed.py tests/test_session_end.py tests/test_session_tree.py \
	tests/with_langchain/test_langchain_agents.py

.PHONY: matrix-smoke
matrix-smoke: environments ## all tests with the lowest dependencies and LangChain, and the heart of them in the other cells
	$(MAKE) lowest
	$(MAKE) smoke

.PHONY: lowest
lowest: matrix-$(OLDEST)-lowest matrix-$(OLDEST)-langchain-oldest

.PHONY: smoke
smoke:
	$(MAKE) --jobs 1 TESTS="$(SMOKE)" $(patsubst %,matrix-%,$(wordlist 3,99,$(CELLS)))

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

.PHONY: side-by-side
side-by-side: .venv/made .venv-old/made ## the same programs on the older SDK and on this one, into docs/old-and-new.md
	PYTHONPATH=tests .venv/bin/python -m defects.side_by_side .venv-old/bin/python docs/old-and-new.md

.venv-old/made:
	rm -rf .venv-old
	"$(PYTHON)" -m venv .venv-old
	.venv-old/bin/python -m pip install --quiet "sentrial==0.6.0" httpx requests openai anthropic google-genai langchain-classic
	touch .venv-old/made

# The OpenTelemetry Collector, from source: minutes and 2 GB of Go's caches the first time, then nothing until the manifest changes.
COLLECTOR_VERSION = $(shell sed -n 's/^  version: //p' collector-config/builder.yaml)

.PHONY: collector
collector: .collector/otelcol ## the OpenTelemetry Collector with what collector-config/ uses (needs Go >= 1.25)

.collector/otelcol: collector-config/builder.yaml
	@command -v go >/dev/null || { echo "make collector needs Go, which is not on PATH." >&2; exit 1; }
	go run go.opentelemetry.io/collector/cmd/builder@v$(COLLECTOR_VERSION) --config collector-config/builder.yaml
	@touch .collector/otelcol

.PHONY: collector-load
collector-load: .venv/made .collector/otelcol ## how much a collector takes on this machine: the figures in collector-config/README.md
	PYTHONPATH=tests .venv/bin/python -m real_collector.load

# Other libraries that trace, each in an environment of its own in .peers/. `make test` tries one environment of them.
.PHONY: living-with
living-with: .venv/made ## every other library that traces, in one process with us
	.venv/bin/python -m pytest tests/living_with

# Servers that show sessions, each in an environment of its own. `make test` does not collect tests/readers (pyproject.toml).
.PHONY: readers
readers: .venv/made .readers/phoenix/made .collector/otelcol ## what Arize Phoenix and a collector's file show of sessions
	.venv/bin/python -m pytest tests/readers

.readers/phoenix/made: tests/readers/phoenix.txt
	rm -rf .readers/phoenix
	"$(PYTHON)" -m venv .readers/phoenix
	.readers/phoenix/bin/python -m pip install --quiet --requirement tests/readers/phoenix.txt
	touch .readers/phoenix/made

# What the model clients' spans say: every span of the scenarios and of the contract suite, in .conformance/.
SHARED = $(if $(SENTRIAL_SHARED),$(SENTRIAL_SHARED),$(CURDIR)/../shared)

.PHONY: conformance
conformance: .venv/made ## every span of the scenarios and of the contract suite, held against the GenAI conventions
	rm -rf .conformance && mkdir .conformance
	CONFORMANCE_DIR="$(CURDIR)/.conformance" .venv/bin/python -m pytest -q tests/scenarios tests/contract tests/with_langchain
	PYTHONPATH=tests .venv/bin/python -m conformance .conformance "$(SHARED)"

# Other instrumentations of the model clients, the newest of each in an environment of its own in .compare/.
.PHONY: compare
compare: .venv/made ## every other instrumentation of the model clients against ours, into docs/compare.md
	PYTHONPATH=tests .venv/bin/python -m compare docs/compare.md
	.venv/bin/python -m pytest tests/compare

.PHONY: benchmark-langchain
benchmark-langchain: .venv/made ## what recording LangChain costs, beside other instrumentations of it
	.venv/bin/python benchmarks/added_time_langchain.py

.PHONY: clean
clean: ## remove all that was made here
	rm -rf .venv .venv-* .demo .collector .peers .readers .compare .conformance .mypy_cache .pytest_cache .ruff_cache build dist
	find src tests examples benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +
