# `make up STACK=gemma4-31b-h100` is the main job on this machine, against a simulated GKE.
PYTHON  ?= python3
STACK   ?=
STACKS  ?= stacks
VENV    := .venv/bin
SIMULATOR = $(VENV)/python -m simulator
export STACK STACKS

.PHONY: help setup stack-is-named up preview down status env test check bench lock clean

help:
	@echo "make up STACK=NAME       bring up stacks/NAME.yaml on a simulated GKE"
	@echo "make preview STACK=NAME  show what up would do"
	@echo "make down                destroy what is up and stop the simulator"
	@echo "make status | env        what runs; variables for a shell of your own"
	@echo "make test | check        every test; linter and types"
	@echo "make bench | lock | clean"
	@echo "Stacks: $(sort $(basename $(notdir $(wildcard $(STACKS)/*.yaml))))"

setup:
	@$(PYTHON) -m simulator.setup

stack-is-named:
	@test -n "$$STACK" || { $(MAKE) --no-print-directory help; exit 2; }

up preview: stack-is-named setup
	@$(SIMULATOR) $@ "$$STACK" --stacks "$$STACKS"

down status env: setup
	@$(SIMULATOR) $@

test: setup
	@$(VENV)/pytest

check: setup
	@$(VENV)/ruff check
	@$(VENV)/ruff format --check
	@$(VENV)/mypy

bench: setup
	@$(VENV)/python -m benchmarks

# A scratch environment, so that what is installed here does not matter.
lock:
	@$(PYTHON) -m venv .servestack/lock
	@.servestack/lock/bin/pip install --quiet uv==0.13.9
	@.servestack/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --extra dev --generate-hashes \
	  --custom-compile-command "make lock" --output-file requirements.txt pyproject.toml

clean:
	@test ! -x $(VENV)/python || $(SIMULATOR) stop
	@rm -rf .servestack .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
