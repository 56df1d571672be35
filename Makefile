# Two commands do everything on a machine with Python 3.11 to 3.13 and make:
#   make demo    the main job on the embedded ledger folder
#   make test    all tests, on the ledger folder and on a real Kafka
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes

.PHONY: demo test check bench soak fmt lock clean

$(VENV)/.run: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert (3, 11) <= sys.version_info < (3, 14), f"expected Python 3.11 to 3.13, found {sys.version.split()[0]}; name one with PYTHON="'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	$(PIP) -r requirements-dev.lock
	touch $@

demo: $(VENV)/.run
	$(BIN)/rogatory demo

test: $(VENV)/.dev
	$(BIN)/python -m pytest

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks
	$(BIN)/python docs/refresh.py

soak: $(VENV)/.dev
	ROGATORY_SOAK=1 $(BIN)/python -m pytest tests/faults tests/properties tests/campaign
	$(BIN)/python -m tests.simulation --seeds 0:10000 --jobs 2
	$(BIN)/python -m tests.simulated --seed 7
	$(BIN)/python -m tests.simulated --seed 11
	$(BIN)/python -m tests.fuzz --all --seconds 600

fmt: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Pins every package by hash, for all platforms; run after a change of dependencies in pyproject.toml.
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header --extra broker --extra build
lock:
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
