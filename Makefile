# make demo: eight agencies exchange real data here.   make test: the proof.   make bench: the figures.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KAFKA := .cache/kafka-4.2.0
AVRO := .cache/avro-1.12.1
NODE := .cache/node
INTEROP := .cache/interop
export KEEP

.PHONY: demo test lint unit bench bench-registry docs kafka browser node interop hsm lock clean need-python need-java faults postgres

demo: $(VENV)/.demo kafka
	@$(BIN)/python -m deploy.demo.run

test: lint unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev kafka avro browser node interop hsm postgres
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n 2 --dist loadfile $(TESTS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

# Every fault at length, some 15 minutes; `make test` has the same tests in a short form.
faults: $(VENV)/.dev kafka postgres
	EXCHANGE_FAULTS=long $(BIN)/python -m pytest -s --durations=0 tests/faults

bench: $(VENV)/.dev kafka
	$(BIN)/python -m bench

bench-registry: $(VENV)/.dev kafka
	$(BIN)/python -m bench.registry

docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

kafka: need-java $(KAFKA)/.complete

$(KAFKA)/.complete: deploy/kafka/pom.xml | need-java
	@command -v mvn >/dev/null || { echo "mvn was not found: install package maven" >&2; exit 1; }
	@echo "fetching Apache Kafka's jars with Maven"
	@mvn -q -B -C -f deploy/kafka/pom.xml dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory="$(CURDIR)/$(KAFKA)" && touch $@

# Java's own Avro, which the tests ask. The jars bring a compiler: a Java runtime is enough.
avro: need-java $(AVRO)/Oracle.class

$(AVRO)/.complete: tests/avro/java/pom.xml | need-java
	@command -v mvn >/dev/null || { echo "mvn was not found: install package maven" >&2; exit 1; }
	@echo "fetching Apache Avro's jars with Maven"
	@mvn -q -B -C -f $< dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory="$(CURDIR)/$(AVRO)" && touch $@

$(AVRO)/Oracle.class: tests/avro/java/Oracle.java $(AVRO)/.complete
	@java -jar $(AVRO)/ecj-3.33.0.jar -17 -nowarn -cp "$$(echo $(AVRO)/*.jar | tr ' ' :)" -d $(AVRO) $< && touch $@

browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the console's tests"; \
	    apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  else echo "chromium was not found: install package chromium (the console's tests use it)" >&2; exit 1; fi; }

hsm:
	@command -v softhsm2-util >/dev/null && test -f /usr/lib/softhsm/libsofthsm2.so || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing softhsm2 for the tests of keys in an HSM"; \
	    apt-get update -qq && apt-get install -y -qq softhsm2 >/dev/null; \
	  else echo "softhsm2 was not found: install package softhsm2 (the tests of keys in an HSM use it)" >&2; exit 1; fi; }

node: $(NODE)/.complete

$(NODE)/.complete: tests/clients/package.json tests/clients/package-lock.json
	@command -v npm >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing nodejs and npm for the tests of the registry's clients"; \
	    apt-get update -qq && apt-get install -y -qq nodejs npm >/dev/null; \
	  else echo "npm was not found: install packages nodejs and npm (the registry's tests drive clients of Node.js)" >&2; exit 1; fi; }
	@echo "installing the locked clients of Node.js"
	@mkdir -p $(NODE) && cp tests/clients/package.json tests/clients/package-lock.json $(NODE)
	@cd $(NODE) && npm ci --silent --ignore-scripts --no-audit --no-fund >/dev/null && touch .complete

# Others' software that reads what the exchange writes: Go's verifiers, built from a locked module, and kcat.
interop: $(INTEROP)/interop
	@command -v kcat >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing kcat for the tests of interoperability"; \
	    apt-get update -qq && apt-get install -y -qq kcat >/dev/null; \
	  else echo "kcat was not found: install package kcat (it reads topics in the tests of interoperability)" >&2; exit 1; fi; }

$(INTEROP)/interop: $(wildcard tests/interop/go/*)
	@command -v go >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing golang for the tests of interoperability"; \
	    apt-get update -qq && apt-get install -y -qq golang >/dev/null; \
	  else echo "go was not found: install package golang (its verifiers read our evidence in the tests)" >&2; exit 1; fi; }
	@echo "building Go's verifiers of notes and logs"
	@mkdir -p $(INTEROP) && cd tests/interop/go && go build -buildvcs=false -o "$(CURDIR)/$(INTEROP)/interop" .

postgres:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing postgresql for the tests of faults"; \
	    apt-get update -qq && apt-get install -y -qq postgresql >/dev/null; \
	  else echo "initdb was not found: install package postgresql (the tests of faults copy into one)" >&2; exit 1; fi; }

$(VENV)/.python: | need-python
	@$(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/.demo: requirements/demo.txt $(VENV)/.python
	@echo "installing the locked dependencies"
	@test -f $(VENV)/.dev || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $<
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.python
	@echo "installing the locked dependencies of development"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes --no-deps -r $<
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@ $(VENV)/.demo

need-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer was not found: install package python3 (and python3-venv), or set PYTHON=" >&2; exit 1; }

need-java:
	@command -v java >/dev/null || { echo "java was not found: install package openjdk-17-jre-headless" >&2; exit 1; }

# The locks: hashes, no addresses.  Needs uv and npm.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q
WITHOUT_ADDRESSES := const fs = require("fs"), lock = JSON.parse(fs.readFileSync("package-lock.json")); \
	for (const each of Object.values(lock.packages)) { delete each.funding; delete each.license; } \
	fs.writeFileSync("package-lock.json", JSON.stringify(lock, null, 2) + "\n");
lock:
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) pyproject.toml --extra demo -c requirements/runtime.txt -o requirements/demo.txt
	$(LOCK) pyproject.toml --extra demo --extra dev --extra hsm -c requirements/runtime.txt -o requirements/dev.txt
	cd tests/clients && npm install --package-lock-only --omit-lockfile-registry-resolved --ignore-scripts --silent >/dev/null
	cd tests/clients && node -e '$(WITHOUT_ADDRESSES)'

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .hypothesis .coverage* build *.egg-info
