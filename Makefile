# OTTO: `make run` starts it, Ctrl-C stops it. The other targets are for those who change it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
HOST = 127.0.0.1
PORT = 8000
PIP_ARGS =
BASES ?= $(or $(OTTO_BASES),1)
ONLY =
KEEP =
WORKERS = 2
RERUNS = 0
PIP := $(PY) -m pip install --disable-pip-version-check --quiet $(PIP_ARGS)
PRODUCTION := OTTO_HTTPS=1 OTTO_ALLOWED_HOSTS=otto.example \
  OTTO_SECRET_KEY=only-for-this-check-only-for-this-check-0123456789-abcdefghij
SCRIPTS := find static/js -name '*.js'

.PHONY: help run demo test chaos coverage check lint bench checklist clean system

help: ## Show this list
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## /  make \1\t/'

run: $(VENV)/.installed ## Install what is missing, then start OTTO (HOST=0.0.0.0 PORT=8000 PIP_ARGS=… BASES=0)
	@OTTO_BASES=$(BASES) $(if $(PIP_ARGS),OTTO_PIP_ARGS='$(PIP_ARGS)') exec $(PY) manage.py up --host $(HOST) --port $(PORT)

demo: $(VENV)/.installed ## The whole loop without a browser, in a folder of its own (KEEP=1 keeps it)
	@export OTTO_VAR_DIR="$(CURDIR)/var/demo"; unset DATABASE_URL REDIS_URL OTTO_DATA_DIR; \
	rm -rf "$$OTTO_VAR_DIR"; $(PY) manage.py demo; status=$$?; \
	test -n "$(KEEP)" || rm -rf "$$OTTO_VAR_DIR"; exit $$status

# No second tries: a test that passes now and then is a defect. RERUNS=1 is for a sick machine, and tells which.
PYTEST = $(PY) -m pytest -q -n $(WORKERS) --dist worksteal --durations 20 --reruns $(RERUNS) -r R
test: $(VENV)/.installed-dev system ## Every test but the benchmarks (WORKERS=2 RERUNS=0)
	@$(PYTEST) < /dev/null

# Measuring costs the quick part about 40 % more; the slow part runs in processes that would not be seen.
coverage: $(VENV)/.installed-dev system ## The quick tests, and how many of the lines they run
	@$(PYTEST) -m "not slow and not chaos" --cov --cov-report= < /dev/null
	@echo "Lines that the quick tests run: $$($(PY) -m coverage report --format=total) %"

chaos: $(VENV)/.installed-dev system ## Kill and stop everything at every bad moment; a quarter of an hour
	@$(PY) -m pytest -q -m chaos -n $(WORKERS) --dist worksteal --durations 20 < /dev/null

check: $(VENV)/.installed-dev lint ## Everything that must hold before a commit
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING
	@DJANGO_SETTINGS_MODULE=otto_web.settings_test $(PY) -W ignore manage.py makemigrations --check --dry-run
	@$(MAKE) --no-print-directory test

lint: $(VENV)/.installed-dev ## Style, types, templates, scripts
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy .
	@find templates -name '*.html' -print0 | xargs -0 -r $(VENV)/bin/djade --check --target-version 5.2
	@node=$$($(PY) tests/node_path.py) && $(SCRIPTS) -print0 | xargs -0 -r -n 1 "$$node" --check
	@.ci/scripts

bench: $(VENV)/.installed-dev ## Measure (ONLY=train|rules|encodings|import|repeats|freeze|table|decode|answers|judge)
	@$(PY) -m tests.bench.run $(ONLY)

checklist: $(VENV)/.installed-dev ## Count the acceptance rows that tests show
	@$(PY) -m tests.acceptance.count

clean: ## Delete everything that OTTO has stored here, after asking
	@echo "This deletes, for good:"; \
	echo "  $(CURDIR)/var    people, uploads, datasets, runs, models, chats, logs"; \
	read -r -p "Type 'delete' to go on: " answer || true; \
	if [ "$$answer" = delete ]; then rm -rf var && echo "Deleted."; else echo "Nothing was deleted."; fi

system:
	@.ci/system libmagic1 chromium

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "OTTO needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo "Name another one: make run PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "This Python has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.txt | $(VENV)/bin/python
	@echo "Installing what OTTO needs; the first time this takes some minutes …"
	@$(PIP) "$$(sed -nE 's/^(torch==[^ ]+).*/\1/p' requirements.txt)"
	@$(PIP) -r requirements.txt
	@touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@$(PIP) -r requirements-dev.txt
	@touch $@
