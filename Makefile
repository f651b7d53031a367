# The two commands that matter: make demo, make test. Each sets up what it needs; see CONTRIBUTING.md for the others.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin
MVN := mvn -q -B -f tests/pipeline/pom.xml
CODENARC := .cache/codenarc.classpath

.PHONY: help demo test test-python test-pipeline pipeline bundle verify lint requirements clean needs-python needs-java

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1  /p' $(MAKEFILE_LIST)

demo: needs-python needs-java ## the examples through the library to a stand-in Last9
	@$(PYTHON) tools/demo.py

test: test-python test-pipeline ## every test
	@$(IN_VENV)/python tools/count_tests.py

test-python: $(VENV)/ready ## engine, contract and bundle
	@mkdir -p build
	@$(IN_VENV)/python -m pytest --junitxml=build/pytest.xml

test-pipeline: needs-python needs-java ## Jenkinsfiles through the runner, and the runner against the recordings
	@rm -rf tests/pipeline/target/surefire-reports
	@$(MVN) test

pipeline: needs-python needs-java ## one Jenkinsfile: make pipeline FILE=Jenkinsfile
	@test -n "$(FILE)" || { echo "Name a Jenkinsfile: make pipeline FILE=Jenkinsfile" >&2; exit 2; }
	@tests/pipeline/run-pipeline "$(FILE)"

bundle: $(VENV)/ready ## rebuild the bundle and what is generated from it
	@$(IN_VENV)/python tools/build_bundle.py

verify: $(VENV)/ready ## rebuild elsewhere and compare with what is committed
	@$(IN_VENV)/python tools/build_bundle.py --check

lint: $(VENV)/ready $(CODENARC) ## ruff, mypy, CodeNarc, shellcheck
	@$(IN_VENV)/ruff check .
	@$(IN_VENV)/ruff format --check .
	@$(IN_VENV)/mypy
	@tools/codenarc/run "$(CODENARC)"
	@command -v shellcheck >/dev/null || { echo "shellcheck is missing: install your system's package of that name" >&2; exit 1; }
	@shellcheck resources/last9/run.sh tests/pipeline/run-pipeline tools/codenarc/run .ci/run

requirements: $(VENV)/ready ## lock requirements-dev.in again
	@$(IN_VENV)/python -m pip install -q uv && $(IN_VENV)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.9 requirements-dev.in -o requirements-dev.txt

clean: ## forget everything that was built or fetched
	@rm -rf $(VENV) .cache build tests/pipeline/target

$(VENV)/ready: requirements-dev.txt | needs-python
	@$(PYTHON) -m venv $(VENV) || { echo "Python's venv module is missing: install it (python3-venv on Debian and Ubuntu)" >&2; rm -rf $(VENV); exit 1; }
	@$(IN_VENV)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(CODENARC): tools/codenarc/pom.xml | needs-java
	@mkdir -p .cache
	@mvn -q -B -f tools/codenarc/pom.xml dependency:build-classpath -Dmdep.outputFile=$(CURDIR)/$@

needs-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || { echo "Python 3.9 or newer is needed as $(PYTHON): install it, or name another with make PYTHON=…" >&2; exit 1; }

needs-java:
	@command -v javac >/dev/null || { echo "A JDK is needed, 17 or newer: install one (openjdk-17-jdk-headless on Debian)" >&2; exit 1; }
	@test "$$(javac -version 2>&1 | sed 's/javac \([0-9]*\).*/\1/')" -ge 17 || { echo "The JDK is too old ($$(javac -version 2>&1)): 17 or newer is needed" >&2; exit 1; }
	@command -v mvn >/dev/null || { echo "Maven is needed, 3.8 or newer: install it (maven on Debian)" >&2; exit 1; }
