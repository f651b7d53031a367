# The two commands that matter: make demo, make test. Each sets up what it needs; see CONTRIBUTING.md for the others.
SHELL := /bin/sh
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
IN_VENV := $(VENV)/bin
# The runner's builds look for python3, as agents do: if that is too old, they find the one that PYTHON names.
ifneq ($(PYTHON),python3)
$(shell mkdir -p build/python && printf '#!/bin/sh\nexec "%s" "$$@"\n' "$$(command -v "$(PYTHON)")" >build/python/python3 && chmod +x build/python/python3)
export PATH := $(CURDIR)/build/python:$(PATH)
endif
MVN := mvn -q -B -Dstyle.color=never -f tests/pom.xml
# What the bundle's first files use only once it knows that it runs under Python 3.9 or newer.
GUARDED := $(addprefix --exclude ,int.from_bytes sys.flags.isolated)
CODENARC := .cache/codenarc.classpath
SUREFIRE := tests/pipeline/target/surefire-reports tests/library/target/surefire-reports
SUREFIRE_ENDURANCE := tests/library/target/endurance-reports
# If a test of the runner fails, the library's tests still run.
ALL_MODULES := -Dmaven.test.failure.ignore=true
none_failed = ! grep -lrE '<(failure|error)[ >]' $(1)
# Both halves at once; what each says is printed as one piece when it ends, and one that fails does not stop the other.
side_by_side = status=0; echo "Two halves side by side, each one's output when it ends: $(1)"; $(MAKE) --no-print-directory -k -j2 --output-sync=target $(1) || status=1

# The tags of the Java tests that need a tool which this machine lacks (tools/needs writes the list).
without = $$(sed 's/\([a-z-][a-z-]*\) */,needs-\1/g' build/missing-tools)

.PHONY: for-tests help demo test test-python test-pipeline endurance endurance-python endurance-pipeline controller pipeline cost cost-docs benchmark benchmark-docs bundle docs verify lint requirements release picture clean

help:
	@sed -n 's/^\([a-z-]*\):.*## /  make \1  /p' $(MAKEFILE_LIST)

demo: needs-python-java-git ## the examples through the library to a fake Last9
	@$(PYTHON) tools/demo.py

test: for-tests $(VENV)/ready ## every test
	@$(call side_by_side,test-python test-pipeline); $(IN_VENV)/python tools/count_tests.py build/pytest.xml $(SUREFIRE) && exit $$status

endurance: for-tests $(VENV)/ready ## the long tests: many markers, many windows, kill -9, full disks
	@status=0; $(MAKE) --no-print-directory -k -j1 endurance-python endurance-pipeline || status=1; $(IN_VENV)/python tools/count_tests.py build/endurance.xml $(SUREFIRE_ENDURANCE) && exit $$status

test-python: for-tests $(VENV)/ready ## engine, contract and bundle
	@mkdir -p build && rm -f build/pytest.xml
	@$(IN_VENV)/python -m pytest -n 2 --junitxml=build/pytest.xml

test-pipeline: for-tests ## Jenkinsfiles through the runner, and the runner against the recordings
	@rm -rf $(SUREFIRE)
	@$(MVN) test $(ALL_MODULES) -DexcludedGroups=endurance$(without) && $(call none_failed,$(SUREFIRE))

endurance-python: for-tests $(VENV)/ready
	@mkdir -p build && rm -f build/endurance.xml
	@$(IN_VENV)/python -m pytest -n 2 -m endurance --durations=0 --junitxml=build/endurance.xml

endurance-pipeline: for-tests
	@rm -rf $(SUREFIRE_ENDURANCE)
	@$(MVN) test -Dforks=2 -Dgroups=endurance -DexcludedGroups=none$(without) -Dreports=$(notdir $(SUREFIRE_ENDURANCE))

controller: needs-python-venv-git $(VENV)/ready ## the examples and shapes on a real Jenkins: make controller JENKINS_URL=http://… (tests/controller/README.md)
	@PYTHONPATH=tests:python $(IN_VENV)/python -m controller

pipeline: needs-python-java ## one Jenkinsfile: make pipeline FILE=Jenkinsfile
	@test -n "$(FILE)" || { echo "Name a Jenkinsfile: make pipeline FILE=Jenkinsfile" >&2; exit 2; }
	@tests/pipeline/run-pipeline "$(FILE)"

benchmark: $(VENV)/ready ## one marker as a whole process against what it could be compared with; ROUNDS=40
	@$(IN_VENV)/python tools/benchmark.py --rounds $(or $(ROUNDS),40)

benchmark-docs: $(VENV)/ready ## the same, and the figures into docs/performance.md
	@$(IN_VENV)/python tools/benchmark.py --rounds $(or $(ROUNDS),40) --write-docs

cost: needs-python-java-git ## what each shape of marker costs a pipeline, counted by the runner and priced by tests/library/cost-model.json
	@$(MVN) test -Dtest=CostTable

cost-docs: needs-python-java-git ## the same, and the table into docs/performance.md
	@$(MVN) test -Dtest=CostTable -Dcost.docs=true

bundle: $(VENV)/ready ## rebuild the bundle and what is generated from it
	@$(IN_VENV)/python tools/build_bundle.py

docs: $(VENV)/ready ## rewrite the tables of docs/command-line.md from the code
	@$(IN_VENV)/python tools/command_line_docs.py

verify: $(VENV)/ready ## rebuild elsewhere and compare with what is committed
	@$(IN_VENV)/python tools/build_bundle.py --check

lint: needs-python-venv-java-shellcheck $(VENV)/ready $(CODENARC) ## ruff, mypy, import-linter, codespell, CodeNarc, shellcheck
	@$(IN_VENV)/ruff check .
	@$(IN_VENV)/ruff format --check .
	@$(IN_VENV)/mypy
	@PYTHONPATH=python $(IN_VENV)/lint-imports --no-cache --no-logo
	@git ls-files '*.md' '*.py' '*.groovy' '*.java' '*.sh' '*.bat' '*.txt' '*.yaml' '*.toml' '*.Jenkinsfile' Makefile | grep -v '^requirements\|^tests/pipeline/recordings' | xargs $(IN_VENV)/codespell
	@$(IN_VENV)/vermin --quiet --no-tips --violations -t=3.9- python/last9_markers python/bundle/last9_loading.py python/bundle/last9_keeping.py
	@$(IN_VENV)/vermin --quiet --no-tips --violations -t=2.7- -t=3.0- $(GUARDED) python/bundle/__main__.py python/bundle/first.py
	@tools/codenarc/run "$(CODENARC)"
	@shellcheck -s sh resources/last9/run.sh resources/last9/curl.sh
	@shellcheck tests/pipeline/run-pipeline tools/needs tools/codenarc/run tools/benchmarking/by_curl.sh .ci/run examples/freestyle/last9-markers examples/*/*.sh

picture: needs-chromium demo $(VENV)/ready ## the README's picture, from the page that make demo has written
	@$(IN_VENV)/python tools/picture.py

release: $(VENV)/ready ## check that everything names this version, write checksum and SBOM, make the tag, say what to push
	@$(MAKE) --no-print-directory verify
	@$(IN_VENV)/python tools/release.py

requirements: $(VENV)/ready ## lock requirements-dev.in again
	@$(IN_VENV)/python -m pip install -q uv && $(IN_VENV)/uv pip compile -q --universal --generate-hashes --no-header --no-annotate --no-emit-index-url --python-version 3.9 requirements-dev.in -o requirements-dev.txt

clean: ## forget everything that was built or fetched
	@rm -rf $(VENV) .cache build tests/pipeline/target tests/library/target

$(VENV)/ready: requirements-dev.txt | needs-python-venv
	@$(PYTHON) -m venv $(VENV)
	@$(IN_VENV)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@touch $@

$(CODENARC): tools/codenarc/pom.xml | needs-java
	@mkdir -p .cache
	@mvn -q -B -Dstyle.color=never -f tools/codenarc/pom.xml dependency:build-classpath "-Dmdep.outputFile=$(CURDIR)/$@"

# Without the tools after -- the tests that need them are left out, and the closing line says so.
for-tests:
	@PYTHON=$(PYTHON) tools/needs python venv java git -- curl jq chromium wine busybox ksh zsh

# needs-TOOL-TOOL-…: installs missing tools if it can; otherwise it names all missing tools at once.
needs-%:
	@PYTHON=$(PYTHON) tools/needs $(subst -, ,$*)
