# Each target sets up what it needs. `make` alone prints them.
PYTHON ?= python3
BIN := .venv/bin
UV := $(firstword $(wildcard .tools/venv/bin/uv .tools/packages/bin/uv) uv)
TRAINING := .tools/training/bin
# Two labelled fields come from it; what it would install besides is not needed for them.
FIELDS := histolytics==0.3.0
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

.DEFAULT_GOAL := help
.PHONY: help demo test check interop faults bench eval train docs lint requirements clean setup-dev setup-server setup-interop setup-system

help: ## print these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1	\2/p' Makefile | expand -t 20

demo: setup-server ## start the platform with a sample slide and show a first result
	@$(BIN)/python -m coverslip.embedded.demo

test: setup-dev setup-interop setup-system lint ## everything that must hold before a change goes in
	@$(BIN)/pytest -n 2 --dist loadfile

check: setup-dev lint ## the same without the tests that start the platform's processes
	@$(BIN)/pytest -n 2 --dist loadfile -m "not process"

interop: setup-dev setup-interop ## try the published client, unmodified, against the platform
	@$(BIN)/pytest tests/interop

faults: setup-dev ## kill and starve the platform while it works: ROUNDS=5, SEED=next one, RAY=1
	@$(BIN)/python -m faults $(ROUNDS:%=--rounds %) $(SEED:%=--seed %) $(if $(RAY),--ray)

bench: setup-dev ## measure speed against peers, write the figures into docs/quality.md
	@$(BIN)/python -m benchmarks

eval: setup-server ## measure nuclei, cell classes and tissue quality on labelled images: DIR=../shared/eval
	@$(BIN)/coverslip model evaluate $(or $(DIR),../shared/eval)

train: ## make the packaged models again from free images (PyTorch, under an hour on two cores)
	@test -x $(TRAINING)/python || $(PYTHON) -m venv $(dir $(TRAINING))
	@$(TRAINING)/pip install --quiet --requirement requirements/training.in --requirement requirements/server.txt
	@$(TRAINING)/pip install --quiet --no-deps --editable . $(FIELDS)
	@$(TRAINING)/python -m training.cells --out src/coverslip/models/packaged/coverslip-cells.onnx
	@$(TRAINING)/python -m training.nuclei --out src/coverslip/models/packaged/coverslip-nuclei.onnx

docs: setup-dev ## write the generated reference
	@$(BIN)/python tools/reference

lint: setup-dev
	@echo "lint: ruff"
	@$(BIN)/ruff check --quiet
	@$(BIN)/ruff format --quiet --check
	@echo "lint: mypy"
	@$(BIN)/mypy --no-error-summary
	@echo "lint: layers"
	@found=$$($(BIN)/lint-imports --no-cache) || { echo "$$found"; exit 1; }

requirements: ## pin what pyproject.toml asks for and is not pinned yet, with hashes (needs uv)
	@$(COMPILE) pyproject.toml requirements/build.in --extra server --group dev -o requirements/dev.txt
	@$(COMPILE) pyproject.toml requirements/build.in --extra server -c requirements/dev.txt -o requirements/server.txt
	@$(COMPILE) pyproject.toml requirements/build.in --extra server --extra cloud --extra ray --extra otel \
		-c requirements/dev.txt -o requirements/image.txt
	@$(COMPILE) --only-binary :all: --excludes requirements/interop.excludes requirements/interop.in -o requirements/interop.txt
	@$(COMPILE) --excludes requirements/interop.excludes requirements/interop-legacy.in -o requirements/interop-legacy.txt
	@$(COMPILE) requirements/uv.in -o requirements/uv.txt
	@wc -l requirements/*.txt

clean: ## remove what was installed and cached here (not COVERSLIP_HOME)
	rm -rf .venv .tools .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find src tests -name __pycache__ -prune -exec rm -rf {} +

setup-system: # what tests need of Debian, where root may install it; without it they skip
	@command -v dciodvfy >/dev/null || test "$$(id -u)" != 0 || ! command -v apt-get >/dev/null \
		|| { apt-get -qq update && apt-get -qq install --yes dicom3tools >/dev/null; } || true

setup-dev setup-server setup-interop:
	@$(PYTHON) tools/setup $(@:setup-%=%)
