# make demo: eight agencies exchange real data here.   make test: the proof.   make bench: the figures.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
KAFKA := .cache/kafka-4.2.0
export KEEP

.PHONY: demo test lint unit bench docs kafka browser lock clean need-python need-java

demo: $(VENV)/.demo kafka
	@$(BIN)/python -m deploy.demo.run

test: lint unit

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

unit: $(VENV)/.dev kafka browser
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(TESTS)
	$(BIN)/coverage combine -q
	$(BIN)/coverage report

bench: $(VENV)/.dev kafka
	$(BIN)/python -m bench

docs: $(VENV)/.dev
	$(BIN)/python -m docs.generate

kafka: need-java $(KAFKA)/.complete

$(KAFKA)/.complete: deploy/kafka/pom.xml | need-java
	@command -v mvn >/dev/null || { echo "mvn was not found: install package maven" >&2; exit 1; }
	@echo "fetching Apache Kafka's jars with Maven"
	@mvn -q -B -C -f deploy/kafka/pom.xml dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory="$(CURDIR)/$(KAFKA)" && touch $@

browser:
	@command -v chromium >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing chromium for the console's tests"; \
	    apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	  else echo "chromium was not found: install package chromium (the console's tests use it)" >&2; exit 1; fi; }

$(VENV)/.python: | need-python
	@$(PYTHON) -m venv $(VENV) && touch $@

$(VENV)/.demo: requirements/demo.txt $(VENV)/.python
	@echo "installing the locked dependencies"
	@test -f $(VENV)/.dev || $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@

$(VENV)/.dev: requirements/dev.txt $(VENV)/.python
	@echo "installing the locked dependencies of development"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $<
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e . && touch $@ $(VENV)/.demo

need-python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer was not found: install package python3 (and python3-venv), or set PYTHON=" >&2; exit 1; }

need-java:
	@command -v java >/dev/null || { echo "java was not found: install package openjdk-17-jre-headless" >&2; exit 1; }

# The locks: hashes, no addresses.  Needs uv.
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header -q
lock:
	$(LOCK) pyproject.toml -o requirements/runtime.txt
	$(LOCK) pyproject.toml --extra demo -c requirements/runtime.txt -o requirements/demo.txt
	$(LOCK) pyproject.toml --extra demo --extra dev -c requirements/runtime.txt -o requirements/dev.txt

clean:
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .hypothesis .coverage* build *.egg-info
