# Needs make, git and python3 (3.11 or newer) with its venv module. `make` alone lists the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:

PYTHON3 ?= python3
PYTHON := .venv/bin/python
PYTEST := $(PYTHON) -m pytest
VENV := .venv/installed
# The cluster: the one in KUBECONFIG, if you name one; kind's, where a Docker daemon answers; else the local one.
LOCAL := $(PYTHON3) hack/localcluster/cluster.py
KIND := .venv/kind
CLUSTER = "$$(test -e $(KIND) && echo $(PYTHON) || echo $(PYTHON3))" hack/cluster.py
ON_CLUSTER = KUBECONFIG="$$($(CLUSTER) kubeconfig)" PATH="$$($(CLUSTER) bin):$$PATH"
# On a cluster of your own: a Helm values file with images that it can pull.
VALUES ?=
IMAGES := $(or $(VALUES),build/images.json)
NAMESPACE ?= agentjobs-system
RELEASE ?= agentjobs
COMPILE := $(PYTHON) -m uv pip compile --quiet --no-config --generate-hashes --no-header --no-emit-index-url --python-version 3.11 --universal

# What only the command line needs, and the operator's image does without.
CLI_ONLY := typer rich annotated-doc colorama markdown-it-py mdurl pygments shellingham

# Tests that need neither a cluster nor helm nor Go.
ALONE := $(filter-out tests/chart/ tests/cluster/ tests/cron/,$(sort $(dir $(wildcard tests/*/test_*.py))))
# The two halves of `make test`, side by side: the second mostly waits for the cluster, which needs the other core.
WITHOUT_CLUSTER := $(ALONE) tests/cron/
WITH_CLUSTER := tests/chart/ tests/cluster/
# A process for each core; one that has no tests left takes some of another's. An empty value lets Python keep what it compiled.
ON_EVERY_CORE := PYTHONDONTWRITEBYTECODE= $(PYTEST) --numprocesses auto --dist worksteal

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' Makefile

.PHONY: test
test: $(VENV) images ## everything, on a real local cluster (the first time compiles Kubernetes: about 15 min)
	@mkdir -p build; nice $(PYTEST) $(WITHOUT_CLUSTER) $(ARGS) > build/tests-without-a-cluster.log 2>&1 & beside=$$!; \
	trap 'kill $$beside 2>/dev/null || true' EXIT; \
	code=0; $(PYTEST) $(WITH_CLUSTER) $(ARGS) || code=$$?; \
	other=0; wait $$beside || other=$$?; trap - EXIT; cat build/tests-without-a-cluster.log; \
	$(if $(ARGS),if [ $$code = 5 ]; then code=$$other; other=0; elif [ $$other = 5 ]; then other=0; fi;) \
	exit $$((code > other ? code : other))

.PHONY: unit
unit: $(VENV) ## the quick tests that need no cluster and no helm, in half a minute; ARGS="-k name" for some
	$(ON_EVERY_CORE) -m "not slow" $(ALONE) $(ARGS)

.PHONY: slow
slow: $(VENV) ## the other tests that need no cluster and no helm, in minutes
	$(ON_EVERY_CORE) -m slow $(ALONE) $(ARGS)

# A failed test is shown, and so is what the others reached. Only what runs in the tests' own processes counts.
.PHONY: coverage
coverage: $(VENV) ## print which lines and branches of the product the tests reach without a cluster, by folder
	@mkdir -p build
	@code=0; $(ON_EVERY_CORE) --cov --cov-report json:build/coverage.json $(ALONE) $(ARGS) || code=$$?; \
	$(PYTHON) hack/covered.py build/coverage.json; exit $$code

.PHONY: chart
chart: $(VENV) ## tests of the Helm chart; they need helm, but no cluster
	@$(LOCAL) build >&2
	$(PYTEST) tests/chart/ $(ARGS)

.PHONY: cluster
cluster: $(VENV) images ## what `make test` runs besides `make unit`, `make slow` and `make chart`
	$(PYTEST) tests/cron/ tests/cluster/ $(ARGS)

.PHONY: lint
lint: $(VENV) ## ruff (lint and format) and mypy --strict
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m mypy

.PHONY: cluster-up
cluster-up: ## start the local cluster, compiling it the first time (kind, where a Docker daemon answers)
	@if $(PYTHON3) hack/cluster.py wants-kind; then $(MAKE) $(KIND); fi
	@$(CLUSTER) up >&2

.PHONY: images
images: cluster-up ## build the images that changed and load them into the cluster; VALUES=FILE names images of your own
	@mkdir -p build
	@$(if $(VALUES),test -r $(VALUES),$(PYTHON3) hack/images.py build > $(IMAGES))

# Tests or kubectl may have applied crds/ before: then the release takes them over.
.PHONY: install
install: images ## install or upgrade the operator on the cluster
	@$(ON_CLUSTER) helm upgrade --install $(RELEASE) charts/agentjobs --namespace $(NAMESPACE) --create-namespace \
	  --values $(IMAGES) --take-ownership --force-conflicts --wait --timeout 2m >&2 || { \
	    $(ON_CLUSTER) kubectl --namespace $(NAMESPACE) get pods >&2; \
	    $(ON_CLUSTER) kubectl --namespace $(NAMESPACE) logs --selector app.kubernetes.io/instance=$(RELEASE) --tail 3 >&2; \
	    echo "install: the operator is not ready; above are its pods and the last lines of its log" >&2; exit 1; }

.PHONY: uninstall
uninstall: ## remove the operator from the cluster; the CRDs and what people wrote stay
	@$(ON_CLUSTER) helm uninstall $(RELEASE) --namespace $(NAMESPACE) --ignore-not-found --wait >&2

.PHONY: demo
demo: install ## write a job, read its card, approve it, run it, read its output
	@$(ON_CLUSTER) $(PYTHON3) -m hack.demo

.PHONY: kubeconfig
kubeconfig: ## print the path of the cluster's kubeconfig, and nothing else
	@$(CLUSTER) kubeconfig

.PHONY: env
env: ## print what points a shell at the local cluster: eval "$(make env)"
	@config="$$($(CLUSTER) kubeconfig)"; test -e "$$config" || { \
	  echo "env: no cluster was started from this checkout: run make cluster-up, or make env where the cluster was started" >&2; exit 1; }; \
	tools="$$($(CLUSTER) bin)"; echo "export KUBECONFIG='$$config' PATH='$$tools':\"\$$PATH\""

.PHONY: down
down: ## stop and remove everything that was started
	@$(CLUSTER) down >&2

.PHONY: crds
crds: $(VENV) ## write crds/, the chart's copies, its values' schema and docs/api.md from the models in operator/src/agentjobs/api
	$(PYTHON) hack/crdgen.py
	$(PYTHON) -m hack.reference
	$(PYTHON) -m hack.values
	@rm -f charts/agentjobs/files/crds/*.yaml && mkdir -p charts/agentjobs/files/crds && cp crds/*.yaml charts/agentjobs/files/crds/

.PHONY: inventory
inventory: $(VENV) images ## copy the list of Python packages in the runner image into the chart
	@$(PYTHON) hack/inventory.py $(IMAGES)

.PHONY: docs
docs: $(VENV) ## write docs/cli.md from the commands, docs/api.md from the models, docs/values.md and the values' schema from chart and settings
	$(PYTHON) -m hack.reference
	$(PYTHON) -m hack.values

.PHONY: golden
golden: $(VENV) ## rewrite the golden files of the chart's tests; look at the difference before you commit it
	@$(LOCAL) build >&2
	AGENTJOBS_UPDATE_GOLDEN=1 $(PYTEST) tests/chart -k golden

.PHONY: bench
bench: $(VENV) install ## measure the operator on the local cluster; ARGS="--only writes --rounds 2" for some of it
	@$(ON_CLUSTER) $(PYTHON) hack/bench.py $(ARGS)

.PHONY: attack
attack: $(VENV) install ## ten minutes of hostile writers and starters on the local cluster; ARGS="--minutes 2 --seed 7"
	@$(ON_CLUSTER) $(PYTHON) -m tests.cluster.attacks $(ARGS)

.PHONY: matrix
matrix: $(VENV) images ## end runs in every way, on a quiet machine and under load, and write docs/log-completeness.md (about 40 min)
	MATRIX_ROUNDS=20 MATRIX_TABLE=docs/log-completeness.md $(PYTEST) tests/cluster/runs/test_log_completeness.py $(ARGS)
	LAST_LINES_ROUNDS=50 LAST_LINES_STATES=quiet,load MATRIX_TABLE=docs/log-completeness.md \
	  $(PYTEST) tests/cluster/runs/test_last_lines.py $(ARGS)

.PHONY: faults
faults: $(VENV) install ## break what the operator hears and says, in every flow, and write docs/reliability.md (about an hour); ARGS="--only manual/409"
	@$(ON_CLUSTER) $(PYTHON) -m tests.cluster.faults --page docs/reliability.md $(ARGS)

.PHONY: requirements
requirements: $(VENV) ## pin the newest versions that pyproject.toml allows, with hashes
	$(COMPILE) --upgrade --extra operator pyproject.toml $(CLI_ONLY:%=--no-emit-package %) --output-file requirements/runtime.txt
	$(COMPILE) --upgrade --extra web pyproject.toml --constraints requirements/runtime.txt --output-file requirements/web.txt
	$(COMPILE) --upgrade --group dev --constraints requirements/runtime.txt --constraints requirements/web.txt --output-file requirements/dev.txt
	$(COMPILE) --upgrade --group kind --constraints requirements/dev.txt --output-file requirements/kind.txt
	$(COMPILE) --upgrade --group runner --output-file runner-image/requirements.txt
	$(COMPILE) --upgrade --group runner-tools --output-file runner-image/tools.txt

.PHONY: clean
clean: ## remove what make wrote into the checkout; ~/.cache/agentjobs stays
	rm -rf .venv build dist .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find operator runner-image tests hack -name __pycache__ -type d -prune -exec rm -rf {} +

$(KIND): $(VENV) requirements/kind.txt
	@.venv/bin/pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --require-hashes \
	  --requirement requirements/kind.txt >&2
	@touch $@

# Everything is pinned, so no resolving (--no-deps); wheels only, so nothing of a package runs while it is installed.
$(VENV): requirements/runtime.txt requirements/web.txt requirements/dev.txt pyproject.toml
	@$(PYTHON3) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON3=python3.12 ...")'
	@echo "venv: installing into .venv, about half a minute" >&2
	@grep -qsxF "$$($(PYTHON3) -c 'import os, sys; print("executable =", os.path.realpath(sys.executable))')" .venv/pyvenv.cfg || rm -rf .venv
	@$(PYTHON3) -m venv .venv >&2
	@.venv/bin/pip --disable-pip-version-check install --quiet --no-deps --only-binary :all: --require-hashes \
	  --requirement requirements/runtime.txt --requirement requirements/web.txt --requirement requirements/dev.txt >&2
	@.venv/bin/pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable . >&2
	@touch $@
