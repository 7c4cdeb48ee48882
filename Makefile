# The bank, in short lines; what takes more than one lives in .ci/.
.PHONY: help run install check lint test soak bench lock
.NOTPARALLEL:
PY = .venv/bin/python
WORKERS ?= 2
PYTEST = $(PY) -m pytest -q -n $(WORKERS) --dist worksteal

help:      ## this list
	@grep -E '^[a-z]+: .*## ' Makefile | sed 's/:.*## /\t/' | expand -t 10

run:       ## from nothing to a seeded demo bank in the browser
	@sh .ci/venv.sh requirements.txt
	@$(PY) -m bank demo
	@exec $(PY) -m bank serve

install:   ## .venv with the locked packages, Chromium, hledger
	@sh .ci/venv.sh tests/requirements.txt
	@sh .ci/tools.sh

lint: install  ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

check: lint  ## lint and the house rules
	@$(PY) -m pytest -q tests/house

test: lint  ## everything, on real databases and in a real browser
	@$(PYTEST)

soak: install  ## the fault and simulation tests with their full counts
	@BANK_SOAK=1 $(PYTEST) -m soak

bench: install  ## speed as JSON lines; ONLY=name or ONLY=prefix.
	@ONLY="$(ONLY)" $(PY) -m tests.bench

lock: install  ## compile both lock files from pyproject.toml
	@sh .ci/lock.sh
