# Two commands do everything: `make demo` and `make test`. Both set up what is missing, on Debian and Ubuntu by apt-get when run as root.
PYTHON ?= python3
VENV := .venv
ROOT := $(shell [ "$$(id -u)" = 0 ] && echo yes)
export PATH := $(PATH):/usr/sbin:/sbin

.PHONY: demo test test-slow test-cluster test-observation honest-runs benchmarks check unit packets netem-kernel docs tools clean
.PHONY: image runner-image image-archive runner-archive image-load

demo: tools $(VENV)/installed
	$(VENV)/bin/python run_chaos.py --config config/demo.yaml --sandbox

test: tools $(VENV)/installed check
	$(VENV)/bin/pytest -m "not slow" --cov --cov-report=term:skip-covered $(if $(ROOT),--cov-fail-under=90)
	@echo "deselected: the slow packet tests (whole runs, devices, kernels, virtual machines, sabotage); make test-slow runs them"

# Every impairment on every device and kernel, virtual machines, sabotage: about a quarter of an hour.
test-slow: tools $(VENV)/installed
	$(VENV)/bin/pytest -m slow --durations=12 tests/packets

check: $(VENV)/installed
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo 2>/dev/null || $(VENV)/bin/lint-imports

# Any cluster that KUBECONFIG names, with the injector's image loaded; SQUALL_TEST_IMAGE names one with python3, sh, iproute2, nftables and nsenter.
test-cluster: $(VENV)/installed
	$(VENV)/bin/pytest tests/cluster

# Real Prometheus, Alertmanager, OpenSearch, Elasticsearch and a real browser, each where it is there: whole runs that judge a system.
test-observation: tools $(VENV)/installed
	$(VENV)/bin/pytest tests/observation tests/storage tests/browser

unit: $(VENV)/installed
	$(VENV)/bin/pytest tests/unit tests/golden

packets: tools $(VENV)/installed
	$(VENV)/bin/pytest tests/packets

# The netem tests run in this kernel where the machine's own has no netem: a User-Mode Linux kernel, built once.
netem-kernel: .netem-kernel/linux

.netem-kernel/linux: tests/packets/netem_kernel/defconfig tests/packets/netem_kernel/build.sh
	tests/packets/netem_kernel/build.sh $@

docs: $(VENV)/installed
	$(VENV)/bin/python docs/generate.py

# Packages of the system: a Python that can make virtual environments, tc and ip, nft.
tools:
	@missing=""; \
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || missing="$$missing python3 python3-venv"; \
	command -v tc >/dev/null && command -v ip >/dev/null || missing="$$missing iproute2"; \
	command -v nft >/dev/null || missing="$$missing nftables"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ -n "$(ROOT)" ] && command -v apt-get >/dev/null; then \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$missing; \
	elif $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null; then echo "notice: without$$missing the packet tests are skipped and the sandbox does not start"; \
	else echo "install these packages first:$$missing"; exit 1; fi

$(VENV)/installed: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed, $(PYTHON) is older; try make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

clean:
	rm -rf $(VENV) .image .pytest_cache .mypy_cache .ruff_cache .coverage* build *.egg-info

# Sandbox runs with nothing wrong, one after the other: none may fail.
COUNT ?= 200
honest-runs: tools $(VENV)/installed
	$(VENV)/bin/python tests/benchmarks/honest_runs.py $(COUNT)

# Images as archives, by podman, docker or buildah, or without any of them (BUILDER=archive): the injector's, and the runner's for inside a cluster.
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"$$/\1/p' chaos_modules/__init__.py)
INJECTOR_IMAGE := .image/squall-injector-$(VERSION).tar
RUNNER_IMAGE := .image/squall-runner-$(VERSION).tar
image: $(INJECTOR_IMAGE)
runner-image: $(RUNNER_IMAGE)
image-archive runner-archive: export BUILDER := archive
image-archive: image
runner-archive: runner-image

$(INJECTOR_IMAGE): $(wildcard containers/*.* containers/injector/*.py) containers/injector/Containerfile containers/packages
	containers/build.sh injector $(VERSION) $@

$(RUNNER_IMAGE): $(wildcard containers/*.* containers/runner/* containers/injector/*.py) containers/packages run_chaos.py pyproject.toml \
  $(shell find chaos_modules config scenarios -type f ! -name '*.pyc') | $(VENV)/installed $(INJECTOR_IMAGE)
	PYTHON=$(VENV)/bin/python containers/build.sh runner $(VERSION) $@

# Into the nodes of kind, k3d, k3s, minikube or this machine's containerd; IMAGE_LOAD='command %s' for another. ARCHIVES='…' chooses what.
image-load: $(if $(ARCHIVES),,image)
	containers/load.sh $(or $(ARCHIVES),$(INJECTOR_IMAGE))

# Ratios measured in one run; docs/benchmarks.md holds them.
benchmarks: tools $(VENV)/installed
	$(VENV)/bin/python tests/benchmarks/measure.py
	$(VENV)/bin/python tests/benchmarks/report_page.py
	$(VENV)/bin/python tests/benchmarks/observation.py
