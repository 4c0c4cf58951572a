# `make demo` and `make test` need only Python 3.11 or later, pip and make: each sets up its own virtual environment first.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin
WHAT ?=

.PHONY: demo test slow fuzz explore lint types layers bench clean

$(VENV)/.demo: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.test: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@

demo: $(VENV)/.demo
	@mkdir -p demo
	$(BIN)/streamsql run examples/iot_anomaly/anomaly.sql --output DESTINATION_SQL_STREAM=demo/scored.jsonl
	$(BIN)/python examples/iot_anomaly/show.py demo/scored.jsonl

test: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --dist loadfile

slow: $(VENV)/.test
	$(BIN)/python -m pytest -m slow --timeout 0

fuzz: $(VENV)/.test
	STREAMSQL_FUZZ=100000 $(BIN)/python -m pytest --timeout 0 tests/properties/test_fuzz.py

explore: $(VENV)/.test
	$(BIN)/python -m pytest -n 2 --hypothesis-profile explore tests/properties tests/unit tests/external tests/io tests/grammar

lint: $(VENV)/.test
	$(BIN)/ruff check .

types: $(VENV)/.test
	$(BIN)/mypy

layers: $(VENV)/.test
	$(BIN)/lint-imports

bench: $(VENV)/.test
	$(BIN)/python -m bench $(WHAT)

clean:
	rm -rf $(VENV) demo build dist *.egg-info
