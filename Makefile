# Every task that a user runs here. Each target sets up what it needs in .venv.
# PYTHON=python3.12 chooses the interpreter (3.11 to 3.13), and ARGS passes options to a target's command.

export PYTHON
unexport PYTHONDONTWRITEBYTECODE # keep bytecode, or every process compiles again
ARGS =
WORKERS = auto
SAMPLE = 300
SEED = 1
STEPS = fetch_bars compute_indicators decide_orders submit_orders notify
LOCK = .venv-lock/bin/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header

.DEFAULT_GOAL = help
.PHONY: help run test test-runs bench faults mutants test-images check check-template picture format lock setup \
	setup-run

help: ## Print this list
	@sed -n 's/^\([a-z-]*\):[^#]*## /  make \1	/p' Makefile | expand -t 24

run: setup-run ## Trade one day here: embedded AWS, paper broker, real bars (ARGS="--sessions 5")
	@.venv/bin/python -m compileall -q functions local
	@.venv/bin/algo-trader run $(ARGS)

test: setup ## Run the tests (ARGS="-k limits", WORKERS=4, EXAMPLES=1000 of each property)
	@.venv/bin/python -m compileall -q functions local
	@.venv/bin/python -m pytest -n $(WORKERS) --maxprocesses 4 \
		--dist loadscope --no-loadscope-reorder $(ARGS)

test-runs: setup ## Run the tests that start whole runs (ARGS="-k days"; some minutes)
	@.venv/bin/python -m compileall -q functions local
	@.venv/bin/python -m pytest -m runs -n $(WORKERS) --maxprocesses 4 \
		--dist loadscope --no-loadscope-reorder $(ARGS)

test-images: setup ## Build the images as sam does, and run them (root or Docker; ARGS="-k day")
	@bash .ci/images/run $(ARGS)

bench: setup ## Measure speed, and write docs/performance.md (ARGS="--section day"; ten minutes)
	@.venv/bin/python -m compileall -q functions local tests/bench
	@PYTHONPATH=functions:. .venv/bin/python -m tests.bench $(ARGS)

faults: setup ## Prove exactly-once: all faults, all pairs, random plans (ARGS="--no-pairs")
	@PYTHONPATH=functions:. .venv/bin/python -m tests.faults $(ARGS)

mutants: setup ## Break the money core and expect a test to fail (SAMPLE=60, SEED=7; half an hour)
	@.ci/mutants/run --sample $(SAMPLE) --seed $(SEED) $(ARGS)

check: setup ## Check format, lint, types, layers and the state machine
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m mypy
	@PYTHONPATH=functions:. .venv/bin/lint-imports --no-logo
	@.venv/bin/python -m pytest -q -m asl

check-template: setup ## Check state machine and template with asl-validator, jsonata (Node.js) and checkov
	@.ci/template/run

picture: setup-run ## Draw the README's picture of a run again (docs/run.svg)
	@.venv/bin/python .ci/picture.py

format: setup ## Format the code, and fix what ruff can fix
	@.venv/bin/python -m ruff format .
	@.venv/bin/python -m ruff check --fix .

lock: ## Write the hashed locks again from the .in files (ARGS="--upgrade")
	@.ci/lock/setup
	$(LOCK) $(ARGS) .ci/lock/requirements.in -o .ci/lock/requirements.txt
	$(LOCK) $(ARGS) functions/requirements-build.in -o functions/requirements-build.txt
	$(LOCK) $(ARGS) local/requirements.in -o local/requirements.txt
	for step in $(STEPS); do \
		$(LOCK) -c local/requirements.txt functions/$$step/requirements.in \
			-o functions/$$step/requirements.txt || exit 1; \
	done
	$(LOCK) $(ARGS) tests/requirements.in -o tests/requirements.txt
	$(LOCK) $(ARGS) --no-deps tests/requirements-no-deps.in -o tests/requirements-no-deps.txt
	$(LOCK) $(ARGS) .ci/images/requirements.in -o .ci/images/requirements.txt
	$(LOCK) $(ARGS) .ci/images/base-requirements.in -o .ci/images/base-requirements.txt
	$(LOCK) $(ARGS) .ci/template/requirements.in -o .ci/template/requirements.txt
	$(LOCK) $(ARGS) .ci/mutants/requirements.in -o .ci/mutants/requirements.txt

setup: setup-run ## Set up .venv for the tests and checks, and nothing else
	@sh local/setup.sh test

setup-run:
	@sh local/setup.sh run
