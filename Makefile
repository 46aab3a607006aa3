# Two commands: `make demo` and `make test`. Both make their own virtual environment.
PYTHON ?= python3
BIN := .venv/bin
SOURCES := LandmarkTracker Benchmarks

.PHONY: install demo test lint format types clean

install: .venv/installed

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -e ".[test]"
	touch $@

demo: install
	$(BIN)/landmark-tracker demo --output results/demo --overwrite

test: lint types
	$(BIN)/python -m pytest

lint: install
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

format: install
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

types: install
	$(BIN)/mypy

clean:
	rm -rf .venv results build dist
