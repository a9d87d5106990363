# Everything from a bare clone, with Python 3.11 or newer and make:
#   make demo      a gallery of the embedded network; prints where its page is
#   make test      format, lint, types and the fast tests
#   make test-all  the same with the slow tests
#   make bench     measures speed against the goals and other tools; roughly, in minutes: make bench BENCH=--quick
#   make clean     removes all that these made, .venv included

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
OUT := out/demo
TOOLS := .bench-packages
BENCH :=

# The first of these that is new enough, and can make environments, is used: make demo PYTHON=/path/to/python
PYTHON ?=
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))

.PHONY: demo test test-all bench clean

demo: $(VENV)/installed
	$(BIN)/lucidtorch demo -o $(OUT)

test: TESTS := -m "not slow"
test test-all: export OMP_NUM_THREADS := 1
test test-all: export MKL_NUM_THREADS := 1
test test-all: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest $(TESTS)

bench: export OMP_NUM_THREADS := 1
bench: export MKL_NUM_THREADS := 1
bench: $(VENV)/installed $(TOOLS)/installed
	$(BIN)/python benchmarks/bench.py $(BENCH)

clean:
	rm -rf $(VENV) $(TOOLS) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/made:
	@for python in $(PYTHONS); do \
	  if "$$python" -c '$(FITS)' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; "$$python" -m venv $(VENV) && touch $@; exit; \
	  fi; \
	done; \
	echo "No Python of 3.11 or newer, with venv, is among: $(strip $(PYTHONS))." >&2; \
	echo "Install one (Debian and Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python" >&2; \
	exit 1

$(VENV)/installed: $(VENV)/made pyproject.toml
	@echo "Installing; torch is large, so this can take minutes ..."
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml
	@echo "Installing; torch is large, so this can take minutes ..."
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/installed

$(TOOLS)/installed: $(VENV)/made benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(TOOLS) -r benchmarks/requirements.txt
	@touch $@
