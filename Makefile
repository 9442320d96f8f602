# Two commands do everything: `make demo` and `make test`. Both set the environment up first.

PYTHON ?= $(shell for p in python3.12 python3.11 python3.13 python3.10 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCKED ?= $(shell [ "$$(uname -sm)" = 'Linux x86_64' ] && echo yes)
DEMO ?= demo-output
EMULATOR_PACKAGES := qemu-user qemu-user-static gcc libc6-dev mmdebstrap

DISPLAY_PACKAGES := xvfb xdotool x11-utils libgl1 libgl1-mesa-dri libegl1 libgles2 libmtdev1
PACKAGING_PACKAGES := systemd lintian shellcheck
BROWSER_PACKAGES := chromium
ANDROID_PACKAGES := default-jdk-headless aapt apksigner zipalign android-framework-res patch
MACHINE_PACKAGES := qemu-system-arm mmdebstrap e2fsprogs kmod cpio util-linux dosfstools exfatprogs ntfs-3g

.PHONY: help install emulator display packaging browser android android-stub machine demo gate test test-core test-train test-window test-timed release fast lint types wheel locks audit sbom clean

help:  ## What can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 16

install: $(STAMP)  ## The environment in .venv, each file by its hash (LOCKED=no: the newest of everything)

$(STAMP): setup.cfg pyproject.toml locks/development.txt
	@test -n "$(PYTHON)" || { echo "Python 3.10 to 3.13 is needed: apt-get install python3, or make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "installing python3-venv"; \
		if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq python3-venv; \
		else sudo apt-get update -qq && sudo apt-get install -y -qq python3-venv; fi; }
	$(PYTHON) -m venv $(VENV)
	@if [ "$(LOCKED)" = yes ]; then \
		$(BIN)/python -m pip install --quiet --require-hashes --only-binary=:all: --requirement locks/development.txt && \
		$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .; \
	else \
		echo "locks/development.txt is for Linux on x86_64: the newest packages that fit are installed, whatever their hashes"; \
		$(BIN)/python -m pip install --quiet --upgrade pip && \
		$(BIN)/python -m pip install --quiet --editable '.[dicom,train,signing,report,peers,baseline,app,android,web,archive,cluster,dev]'; \
	fi
	@touch $@

demo: $(STAMP)  ## The whole job on drawn X-rays, into demo-output
	rm -rf $(DEMO)
	$(BIN)/osteo-edge demo --out $(DEMO)

gate: emulator $(STAMP)  ## Size and AArch64 instructions of the demo's int8 bundle and of a screening, beside their bounds
	$(BIN)/python -m osteo_edge.benchmarks.bundles.sizes $(DEMO)/knee-int8
	$(BIN)/python -m osteo_edge.benchmarks.emulation $(DEMO)/knee-int8 --gate benchmarks/emulation/gate.json
	$(BIN)/python -m osteo_edge.benchmarks.emulation edge_app/demo_bundle --screen edge_app/drawn_film.jpg --gate benchmarks/emulation/gate.json

emulator:  ## The Debian packages that count AArch64 instructions, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -sm)" = "Linux x86_64" ]; then \
		for tool in qemu-aarch64 qemu-aarch64-static gcc mmdebstrap; do command -v $$tool >/dev/null || missing=1; done; \
		if [ -n "$$missing" ]; then \
			echo "installing $(EMULATOR_PACKAGES)"; \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(EMULATOR_PACKAGES); \
		fi; \
	fi

display:  ## The Debian packages that show the app's window without a screen, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -s)" = Linux ]; then \
		for tool in Xvfb xdotool xwininfo; do command -v $$tool >/dev/null || missing=1; done; \
		ldconfig -p | grep -q libGL.so.1 && ldconfig -p | grep -q libmtdev.so.1 || missing=1; \
		if [ -n "$$missing" ]; then \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq; packages="$(DISPLAY_PACKAGES)"; \
			apt-cache show libmtdev1t64 >/dev/null 2>&1 && packages=$$(echo $$packages | sed 's/libmtdev1/libmtdev1t64/'); \
			echo "installing $$packages"; \
			$$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$packages; \
		fi; \
	fi

packaging:  ## The Debian packages that check the services, their scripts and the .deb, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -s)" = Linux ]; then \
		for tool in systemd-analyze systemd-sysusers lintian shellcheck; do command -v $$tool >/dev/null || missing=1; done; \
		if [ -n "$$missing" ]; then \
			echo "installing $(PACKAGING_PACKAGES)"; \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(PACKAGING_PACKAGES); \
		fi; \
	fi

browser:  ## The browser that the web app is tested in, where it is missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -s)" = Linux ] && ! command -v chromium >/dev/null; then \
		echo "installing $(BROWSER_PACKAGES)"; \
		if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
		$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(BROWSER_PACKAGES); \
	fi

android:  ## The Debian packages that check the Android project without Google's SDK, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -s)" = Linux ]; then \
		for tool in javac keytool aapt aapt2 apksigner zipalign patch; do command -v $$tool >/dev/null || missing=1; done; \
		if [ -n "$$missing" ]; then \
			echo "installing $(ANDROID_PACKAGES)"; \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(ANDROID_PACKAGES); \
		fi; \
	fi

android-stub: android $(STAMP)  ## The real buildozer on a staged project, with an SDK and NDK that are only names
	$(BIN)/python -m tests.edge_app.android.stub_sdk

machine:  ## The Debian packages that start a whole emulated Raspberry Pi, where they are missing (apt)
	@if command -v apt-get >/dev/null && [ "$$(uname -s)" = Linux ]; then \
		for tool in qemu-system-aarch64 mmdebstrap mke2fs depmod cpio unshare mkfs.vfat mkfs.exfat mkfs.ntfs; do \
			PATH="$$PATH:/usr/sbin:/sbin" command -v $$tool >/dev/null || missing=1; \
		done; \
		if [ -n "$$missing" ]; then \
			echo "installing $(MACHINE_PACKAGES)"; \
			if [ "$$(id -u)" != 0 ]; then sudo=sudo; fi; \
			$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(MACHINE_PACKAGES); \
		fi; \
	fi

test: emulator display packaging android browser lint types  ## Everything that is checked: style, types, the whole suite
	@echo "running the tests of three kinds, two kinds at a time; what each says follows when it is done (half an hour or more)"
	@$(MAKE) --no-print-directory --jobs 2 $(if $(filter output-sync,$(.FEATURES)),--output-sync=target) test-core test-train test-window
	@$(MAKE) --no-print-directory test-timed

# A process for each kind: TensorFlow and OpenGL in software crash beside each other, and every network that is fitted costs 70 MB for good.
test-core: $(STAMP)
	$(BIN)/python -m pytest -m 'not kivy and not timed and not release' --ignore tests/train

test-train: $(STAMP)
	$(BIN)/python -m pytest -m 'not kivy and not timed and not release' tests/train

test-window: $(STAMP)
	$(BIN)/python -m pytest -m 'kivy and not timed and not release' tests/edge_app

test-timed: $(STAMP)  ## The tests that hold something to seconds; another test beside them would be measured with it
	$(BIN)/python -m pytest -m 'timed and not release'

release: test machine  ## What a release is held to beside that: a booted machine, a second Debian, another network on ARM
	$(BIN)/python -m pytest -m release

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

# what is built from the same commit is the same: https://reproducible-builds.org/specs/source-date-epoch/
wheel sbom: export SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || echo 1700000000)
wheel: $(STAMP)  ## The wheel and the source distribution, into dist
	$(BIN)/python -m osteo_edge.edge_app.web.building
	$(BIN)/python -m build

sbom: wheel  ## The wheel's bill of materials (CycloneDX), into dist
	$(BIN)/osteo-edge sbom dist/*.whl --lock locks/app.txt --out dist/wheel.cdx.json

locks: $(STAMP)  ## The locks, where setup.cfg asks for something else by now (UPGRADE=--upgrade: the newest of everything)
	$(BIN)/python -m osteo_edge.locks $(UPGRADE)

audit: $(STAMP)  ## Whether what the locks pin has known vulnerabilities (pip-audit; advisory without a network)
	$(BIN)/python -m osteo_edge.lock_audit

clean:  ## Remove what was made, but not the environment
	rm -rf build dist *.egg-info $(DEMO)
