# Everything from a bare clone, with Python 3.11 or newer and make:
#   make demo         a gallery of the embedded network; prints where its page is
#   make test         format, lint, types and the fast tests
#   make test-all     the same with the slow tests
#   make test-lowest  the fast tests with Python 3.11 and the lowest version of everything that pyproject.toml allows
#   make bench        measures speed against the goals and other tools; roughly, in minutes: make bench BENCH=--quick
#   make clean        removes all that these made, .venv included

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
LOWEST := .venv-lowest
OUT := out/demo
TOOLS := .bench-packages
BENCH :=

# The first of these that is new enough, and can make environments, is used: make demo PYTHON=/path/to/python
PYTHON ?=
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11
FITS := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
OLDEST := import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))

# One process for each core, at most four: each takes about 2 GB of memory.
PYTEST := pytest --numprocesses logical --maxprocesses 4 --dist worksteal

.PHONY: demo test test-all test-lowest bench clean

demo: $(VENV)/installed
	$(BIN)/lucidtorch demo -o $(OUT)

test test-lowest: TESTS := -m "not slow"
test test-all test-lowest: export OMP_NUM_THREADS := 1
test test-all test-lowest: export MKL_NUM_THREADS := 1
test test-all: $(VENV)/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/$(PYTEST) $(TESTS)

test-lowest: $(LOWEST)/installed
	$(LOWEST)/bin/$(PYTEST) $(TESTS)

bench: export OMP_NUM_THREADS := 1
bench: export MKL_NUM_THREADS := 1
bench: $(VENV)/installed $(TOOLS)/installed
	$(BIN)/python benchmarks/bench.py $(BENCH)

clean:
	rm -rf $(VENV) $(LOWEST) $(TOOLS) out build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# $(call environment,FOLDER,TEST,WHICH) makes an environment with the first Python that passes a test.
define environment
	@for python in $(PYTHONS); do \
	  if "$$python" -c '$(2)' 2>/dev/null; then \
	    echo "$$python -m venv $(1)"; "$$python" -m venv $(1) && touch $@; exit; \
	  fi; \
	done; \
	echo "No Python $(3), with venv, is among: $(strip $(PYTHONS))." >&2; \
	echo "Install one (Debian and Ubuntu: python3 and python3-venv), or name it: make PYTHON=/path/to/python" >&2; \
	exit 1
endef

$(VENV)/made:
	$(call environment,$(VENV),$(FITS),of 3.11 or newer)

$(LOWEST)/made:
	$(call environment,$(LOWEST),$(OLDEST),3.11)

$(VENV)/installed: $(VENV)/made pyproject.toml
	@echo "Installing; torch is large, so this can take minutes ..."
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml
	@echo "Installing; torch is large, so this can take minutes ..."
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	@touch $@ $(VENV)/installed

$(LOWEST)/installed: $(LOWEST)/made pyproject.toml tests/lowest_versions.py
	@echo "Installing; torch is large, so this can take minutes ..."
	$(LOWEST)/bin/python tests/lowest_versions.py > $(LOWEST)/lowest.txt
	$(LOWEST)/bin/python -m pip install --quiet --constraint $(LOWEST)/lowest.txt --editable ".[test]"
	@touch $@

$(TOOLS)/installed: $(VENV)/made benchmarks/requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target $(TOOLS) -r benchmarks/requirements.txt
	@touch $@
