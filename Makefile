# Needs Python >= 3.11 and make; everything else goes into a virtual environment beside this file.
# The first run of a target installs what it needs, later runs start at once.
#
#   make test PYTHON=python3.12      another interpreter, in an environment of its own (.venv-python3.12)
#   make test ARGS='-k journal -x'   arguments for pytest
#   make test WORKERS=4              another number of processes; with 0 in pytest's own, as --pdb and -s need it

PYTHON ?= python3
ARGS ?=
WORKERS ?= 2
name := $(notdir $(PYTHON))
VENV ?= $(if $(filter python python3,$(name)),.venv,.venv-$(name))
bin := $(VENV)/bin
suite := pytest --numprocesses=$(WORKERS) --dist=worksteal
pip := $(bin)/python -m pip --quiet --quiet --disable-pip-version-check --no-input

# $(call silently,command): what the command says is shown only if it fails
silently = { $(1) >$(VENV)/.said 2>&1 || { cat $(VENV)/.said; false; }; }

# Set in many container images: each of the many processes that tests start would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

.SILENT:
.SUFFIXES:
.DELETE_ON_ERROR:
.PHONY: help demo test test-plain test-httpx2 test-wheel check format bench prove mutants docs clean

help:
	echo 'make demo         an invoice from tracked hours, in sandboxes, without a network'
	echo 'make test         the test suite, with the coverage bar for the core'
	echo 'make test-plain   the same without measuring coverage'
	echo 'make test-httpx2  the test suite on httpx2 in place of httpx'
	echo 'make test-wheel   build the wheel, install it without extras, and use it'
	echo 'make check        linter, formatter, two type checkers, import contracts'
	echo 'make format       let ruff rewrite what it can'
	echo 'make bench        benchmarks'
	echo 'make prove        that nothing is lost or doubled: seeded faults, kills, cuts at every byte; an hour or more (docs/proof.md)'
	echo 'make mutants      how many wrong lines in money, once, policy, journal and recipes the tests notice (docs/mutants.md)'
	echo 'make docs         write the capability matrix anew and run every example in the docs'
	echo 'make clean        remove environments, caches and build results'

demo: $(VENV)/.installed
	$(bin)/python examples/demo.py $(ARGS)

test: $(VENV)/.for-test
	echo "test: the suite with branch coverage, $$($(bin)/python --version)"
	$(bin)/coverage erase
	$(bin)/coverage run -m $(suite) $(ARGS) || { $(bin)/coverage erase; false; }
	$(bin)/coverage combine --quiet
	echo "coverage of vendors, sandboxes, testing kit and command line: $$($(bin)/coverage report --fail-under=0 \
	    --omit=- --include='*/vendors/*,*/sandbox/*,*/cli/*,*/testing/*' --format=total) %"
	echo 'coverage of the core:'
	$(bin)/coverage report

test-plain: $(VENV)/.for-test
	echo "test: the suite, $$($(bin)/python --version)"
	$(bin)/python -m $(suite) $(ARGS)

test-httpx2: $(VENV)/.for-httpx2
	echo "test: the suite on httpx2, $$($(bin)/python --version)"
	$(bin)/python -m $(suite) -p tests.use_httpx2 $(ARGS)

test-wheel: $(VENV)/.made
	echo 'test: the built wheel, installed without extras'
	rm -rf dist $(VENV)-wheel
	$(pip) wheel --no-deps --wheel-dir dist .
	$(PYTHON) -m venv $(VENV)-wheel
	$(VENV)-wheel/bin/python -m pip --quiet --quiet --disable-pip-version-check install dist/*.whl
	$(VENV)-wheel/bin/python -I tools/smoke.py

check: $(VENV)/.for-check
	echo 'check: ruff' && $(bin)/ruff check --quiet .
	echo 'check: ruff format' && $(bin)/ruff format --check --quiet .
	echo 'check: mypy --strict' && $(call silently,$(bin)/mypy)
	echo 'check: pyright' && $(call silently,$(bin)/pyright --pythonpath $(bin)/python)
	echo 'check: import contracts' && $(call silently,$(bin)/lint-imports --no-logo --no-cache)

format: $(VENV)/.for-check
	$(bin)/ruff check --fix --quiet .
	$(bin)/ruff format --quiet .

bench: $(VENV)/.installed
	$(bin)/python benchmarks/run.py $(ARGS)

prove: $(VENV)/.installed
	$(bin)/python -m tools.prove $(ARGS)

mutants: $(VENV)/.for-mutants
	$(bin)/mutmut run --max-children $(or $(JOBS),1) $(ARGS)
	$(bin)/python tools/mutants.py

docs: $(VENV)/.for-test
	echo 'docs: capability matrix'
	$(bin)/python tools/capability_matrix.py
	echo 'docs: examples'
	$(bin)/python -m pytest --quiet README.md docs tests/docs $(ARGS)

clean:
	rm -rf .venv .venv-* dist build mutants .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---- environments: one stamp for each set of packages, renewed when pyproject.toml changes -------------------------

$(VENV)/.made:
	$(PYTHON) -c '' >/dev/null 2>&1 || { \
	    echo "$(PYTHON) is not on this machine: name one that is, as in  make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "$(PYTHON) is $$($(PYTHON) -c 'import platform; print(platform.python_version())'), and 3.11 or newer is" \
	    "needed: name another one, as in  make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	echo "install: virtual environment $(VENV)"
	$(PYTHON) -m venv $(VENV) || { \
	    echo "$(PYTHON) -m venv failed; on Debian and Ubuntu the package python3-venv brings what it needs"; exit 1; }
	$(pip) install --upgrade 'pip>=25.1'  # the first that knows --group
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	echo 'install: accounting_bridge and its extras'
	$(pip) install --editable '.[speed,cli,sandbox,xlsx,pdf]'
	touch $@

$(VENV)/.for-%: $(VENV)/.installed
	echo 'install: what $* needs'
	$(pip) install --group $*
	touch $@
