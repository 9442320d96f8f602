# Two commands do everything: `make demo` and `make test`. Both set the environment up first.

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3.10 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEMO ?= demo-output
EMULATOR_PACKAGES := qemu-user gcc libc6-dev mmdebstrap

.PHONY: help install emulator demo gate test fast lint types wheel clean

help:  ## What can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 16

install: $(STAMP)  ## The environment in .venv, with everything in it

$(STAMP): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed: apt-get install python3, or make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "installing python3-venv"; \
		if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv; \
		else sudo apt-get update -qq && sudo apt-get install -y -qq python3-venv; fi; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[dicom,train,report,peers,baseline,app,dev]'
	@touch $@

demo: $(STAMP)  ## The whole job on drawn X-rays, into demo-output
	rm -rf $(DEMO)
	$(BIN)/osteo-edge demo --out $(DEMO)

gate: emulator $(STAMP)  ## Size and AArch64 instructions of the demo's int8 bundle, beside their bounds
	$(BIN)/python -m osteo_edge.benchmarks.sizes $(DEMO)/knee-int8
	$(BIN)/python -m osteo_edge.benchmarks.emulation $(DEMO)/knee-int8 --gate benchmarks/emulation/gate.json

emulator:  ## The Debian packages that count AArch64 instructions, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		for tool in qemu-aarch64 gcc mmdebstrap; do command -v $$tool >/dev/null || missing=1; done; \
		if [ -n "$$missing" ]; then \
			echo "installing $(EMULATOR_PACKAGES)"; \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(EMULATOR_PACKAGES); \
		fi; \
	fi

test: emulator lint types  ## Everything that is checked: style, types, the whole suite
	$(BIN)/python -m pytest

fast: $(STAMP)  ## The tests that need no TensorFlow and no patience
	$(BIN)/python -m pytest -m 'not tf and not slow'

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)  ## mypy strict, on the package as it is installed (type checkers do not see editable installs)
	rm -rf build/types
	$(BIN)/python -m pip install --quiet --no-deps --target build/types .
	rm -rf build/lib build/bdist.*
	MYPYPATH=build/types $(BIN)/mypy -p osteo_edge
	MYPYPATH=build/types:. $(BIN)/mypy --explicit-package-bases tests

wheel: $(STAMP)  ## The wheel and the source distribution, into dist
	$(BIN)/python -m build

clean:  ## Remove what was made, but not the environment
	rm -rf build dist *.egg-info $(DEMO)
