# Every target makes the virtual environment that it needs; nothing else has to be set up first.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
export SYFT_CHECK_FOR_APP_UPDATE = false

.DEFAULT_GOAL := help
.PHONY: help demo demo-gate test lint corpus images corpus-full integration chisel chisel-ci bench wheel clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/.ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --quiet --editable . --group dev
	touch $@

demo: $(BIN)/.ready  ## plan samples/ and print the summary
	$(BIN)/pruner plan samples/web.syft.json.zst --config samples/pruner.yaml --output demo
	@echo
	$(BIN)/pruner costs demo

demo-gate: demo  ## hold the sample, pruned, against samples/policy.yaml: it fails for one reason, and then passes
	@echo
	$(BIN)/pruner gate samples/web.syft.json.zst demo --policy samples/policy.yaml --plan demo; [ $$? -eq 1 ]
	@echo
	$(BIN)/pruner plan samples/web.syft.json.zst --config samples/pruner.yaml --refuse web-root --output demo >/dev/null
	$(BIN)/pruner gate samples/web.syft.json.zst demo --policy samples/policy.yaml --plan demo --report html=demo/gate.html

test: $(BIN)/.ready lint  ## lint, types, architecture, unit and property tests
	$(BIN)/pytest -q -n auto -m "not corpus and not integration"

lint: $(BIN)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

integration: $(BIN)/.ready  ## tests with real tools: buildah, bubblewrap, mmdebstrap, other versions of syft
	$(BIN)/pytest -q -m "integration"

corpus: $(BIN)/.ready  ## seventeen real applications: plan, prune, run, and print the table
	$(BIN)/python -m tests.corpus.table --mode root; code=$$?; \
	$(BIN)/python -m tests.corpus.table --mode sbom && exit $$code

images: $(BIN)/.ready  ## the emitted Dockerfile, built by buildah for three applications, which must run
	$(BIN)/pytest -q -m corpus tests/corpus/test_images.py

corpus-full: $(BIN)/.ready  ## the same, and every smoke test must fail when a needed file is gone
	$(BIN)/pytest -q -m corpus

chisel: $(BIN)/.ready  ## slices of nine applications, cut and run by the real chisel, every slice cut alone; the validator beside it
	$(BIN)/python -m tests.chisel.table --alone all; code=$$?; \
	$(BIN)/python -m tests.chisel.agreement && exit $$code

chisel-ci: $(BIN)/.ready  ## the same with a fixed sample of slices cut alone
	$(BIN)/python -m tests.chisel.table --alone 20; code=$$?; \
	$(BIN)/python -m tests.chisel.agreement && exit $$code

bench: $(BIN)/.ready  ## planning next to a bare load of its SBOM; selection next to aspcud and apt; diff next to syft convert
	$(BIN)/python -m benchmarks.plan
	$(BIN)/python -m benchmarks.select
	$(BIN)/python -m benchmarks.slices
	$(BIN)/python -m benchmarks.gate

wheel: $(BIN)/.ready  ## build the wheel
	$(BIN)/python -m build --wheel

clean:  ## remove what the targets made
	rm -rf $(VENV) build dist demo
