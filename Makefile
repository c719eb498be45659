# Everything one does with a clone of regioncast.  Needs Python >= 3.11 with venv, a C compiler,
# make and a package index (PyPI); `make help` lists the targets.
#
# The package is installed as a wheel into .venv and used from there: nothing runs from src.
# Files in .venv/stamps mark which steps are done; a step is repeated when what it depends on
# is newer.

PYTHON ?= python3
VENV ?= .venv
# further arguments for pytest, for example: make test PYTEST_ARGS="-k paint"
PYTEST_ARGS ?=
# further arguments for the benchmarks
BENCH_ARGS ?=
# seconds for each target of the fuzzer, and one target instead of all
FUZZ_SECONDS ?= 60
FUZZ_TARGET ?=

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
STAMPS := $(VENV)/stamps
# Folders too, because a deleted file changes nothing but its folder.
SOURCES := pyproject.toml meson.build README.md LICENSE \
	$(shell find src -name __pycache__ -prune -o \( -type f -o -type d \) -print)

.DEFAULT_GOAL := help
.PHONY: help demo test lint pytest wheel bench pictures fuzz install clean
# A step that fails must not look done.
.DELETE_ON_ERROR:

help:
	@echo 'make demo     set up .venv, build, paint and extract the embedded data into demo-output/,'
	@echo '              with a page that shows the painted map'
	@echo 'make test     set up .venv, build, and run every check of the project'
	@echo 'make lint       only ruff, mypy and import-linter'
	@echo 'make pytest     only the tests (PYTEST_ARGS="-k paint" for some of them)'
	@echo 'make wheel      only the sdist and the wheel, tried in an environment of their own'
	@echo 'make pictures make the pictures of the documentation again (page.png needs chromium)'
	@echo 'make bench    run the benchmarks and print their ratios'
	@echo 'make fuzz     change input files at random for FUZZ_SECONDS=60 each; FUZZ_TARGET=gifti for one'
	@echo 'make install  set up .venv and build, nothing else'
	@echo 'make clean    remove .venv and all that the other targets made'
	@echo
	@echo 'PYTHON=python3.13 make ... chooses the Python that .venv is made from (>= 3.11).'

demo: $(STAMPS)/installed
	$(BIN)/regioncast demo demo-output --overwrite

# One after the other, also under make -j: the cheap checks first.
test:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory pytest
	@$(MAKE) --no-print-directory wheel
	@echo && echo 'passed: ruff, mypy, import-linter, pytest, the wheel from the sdist'
	@$(BIN)/python tests/report.py $(STAMPS)/pytest.xml

lint: $(STAMPS)/test-tools $(STAMPS)/installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

pytest: $(STAMPS)/test-tools $(STAMPS)/atlases $(STAMPS)/installed
	$(BIN)/python -P -m pytest --numprocesses=auto --junitxml=$(STAMPS)/pytest.xml $(PYTEST_ARGS)

wheel: $(STAMPS)/test-tools
	$(BIN)/python tests/check_wheel.py build/wheel-check

bench: $(STAMPS)/bench-tools $(STAMPS)/installed
	$(BIN)/python -m benchmarks $(BENCH_ARGS)

pictures: $(STAMPS)/test-tools $(STAMPS)/installed
	$(BIN)/python -P docs/pictures/make.py

fuzz: $(STAMPS)/fuzz-tools $(STAMPS)/installed
	FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m fuzz $(FUZZ_TARGET)

install: $(STAMPS)/installed

clean:
	rm -rf $(VENV) build dist demo-output .mesonpy-* .hypothesis .coverage
	rm -rf .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
	find src tests benchmarks fuzz -name __pycache__ -prune -exec rm -rf {} +

# The environment.  pip learnt dependency groups in 25.1, so the one that Python brings is
# replaced.
$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "regioncast needs Python >= 3.11, and $(PYTHON) is $$($(PYTHON) --version 2>&1)."; \
	  echo 'Name a newer one, for example: make PYTHON=python3.12 $(MAKECMDGOALS)'; exit 1; } >&2
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  echo '$(PYTHON) cannot make environments: its module venv or ensurepip is missing.'; \
	  echo 'On Debian and Ubuntu: apt-get install python3-venv'; exit 1; } >&2
	@test ! -e $(VENV) -o -d $(STAMPS) || { \
	  echo '$(VENV) exists and was not made by this Makefile; it is left alone.'; \
	  echo 'Remove it, or name another place: make VENV=.venv-make $(MAKECMDGOALS)'; exit 1; } >&2
	@rm -rf $(VENV) && mkdir -p $(STAMPS)
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --upgrade 'pip>=25.1'
	@touch $@

$(STAMPS)/installed: $(STAMPS)/venv $(SOURCES)
	$(PIP) install .
	@touch $@

$(STAMPS)/test-tools: $(STAMPS)/venv pyproject.toml
	$(PIP) install --group test
	@touch $@

$(STAMPS)/bench-tools: $(STAMPS)/venv pyproject.toml
	$(PIP) install --group bench
	@touch $@

$(STAMPS)/fuzz-tools: $(STAMPS)/venv pyproject.toml
	$(PIP) install --group fuzz
	@touch $@

# Off the path of modules: only their files are read, and one of them brings a `benchmarks`.
$(STAMPS)/atlases: $(STAMPS)/venv tests/requirements-atlases.txt
	@rm -rf $(VENV)/atlases
	$(PIP) install --no-deps --target $(VENV)/atlases --requirement tests/requirements-atlases.txt
	@touch $@
