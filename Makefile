# Render on Lambda: what a developer types. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory

PYTHON := .tools/venv/bin/python
# Without the binding: maturin builds it, with settings of its own that would undo each other's work.
REST := --workspace --exclude render-on-lambda-python
# Without examples, which only the benchmarks run.
TARGETS := --lib --bins --tests
CARGO_BUILD := cargo build --release --locked $(REST) $(TARGETS)
FUNCTIONS := --package render-on-lambda-consumer --package render-on-lambda-producer --package render-on-lambda-setup

CHECKOV := 3.3.30

# How long each fuzz target runs.
FUZZ_SECONDS := 600

.PHONY: help demo test soak setup build functions extension rust-test python-test e2e gui-test monkey-test container-test setup-test bench simulate fuzz lint checkov format schemas clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Render the sample scene on a farm that is wholly on this machine
	@echo "demo: compiling the farm, and installing Blender beside it (the first time: some minutes)"
	@tools/setup.sh demo & setup=$$!; \
	    cargo build --release --locked $(FUNCTIONS) && wait $$setup
	@$(PYTHON) tools/demo.py

test: lint rust-test python-test e2e ## Everything that has to pass: lints, Rust, Python, end to end

soak: python-test functions ## What takes too long for every change: throttling, kills, stalls
	@$(PYTHON) -m pytest tests/soak --timeout=1800
	@$(PYTHON) -m pytest tests/e2e tests/consumer -m soak

setup: ## Install Blender's module and the tools into .tools (first time: 600 MB)
	@tools/setup.sh

build: setup ## Compile the workspace (first time: several minutes)
	@$(CARGO_BUILD)

functions: build ## Link consumer and producer as they are deployed, into build/functions
	@tools/build_functions.sh

extension: functions ## Build the extension's zip into build/
	@$(PYTHON) tools/functions.py
	@$(PYTHON) tools/build_extension.py

rust-test: setup ## Unit and property tests of the Rust crates
	@cargo test --release --locked $(REST) $(TARGETS) --quiet

python-test: extension functions ## Tests of addon/core, of the built wheel, of infra and of the strict front
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps build/wheels/*.whl
	@$(PYTHON) -m pytest addon tests/binding tests/infra tests/layout tests/front

e2e: python-test functions ## End to end against MiniStack and a real Blender
	@# Side by side: both wait most of the time.
	@$(PYTHON) -m pytest tests/consumer -m "not soak" >build/consumer-tests.log 2>&1 & consumer=$$!; \
	    failed=0; $(PYTHON) -m pytest tests/e2e -m "not soak" || failed=$$?; \
	    wait $$consumer || failed=$$?; cat build/consumer-tests.log; exit $$failed

gui-test: python-test functions ## The panel in Blender's own window under Xvfb (installs a Debian with Blender)
	@$(PYTHON) tools/gui_test.py

monkey-test: python-test functions ## Half an hour of clicks and calls at random in that window
	@$(PYTHON) tools/monkey_test.py

container-test: python-test functions ## The image as Lambda runs it: built, under the emulator, behind the mapping (Docker)
	@$(PYTHON) tools/container_test.py

setup-test: python-test functions ## A farm with its real image, made by its own stack, pulled and rendered with (Docker)
	@$(PYTHON) tools/setup_test.py

simulate: python-test functions ## What up to 1,000 workers would make of one frame, by a model held against real ones
	@cargo build --release --locked --package render-on-lambda-plan --examples
	@$(PYTHON) bench/simulation.py

bench: python-test functions ## Beside its peers, as tables (needs 25 GB of disk and an hour; all in build/bench)
	@cargo build --release --locked --package render-on-lambda-farm --examples
	@$(PYTHON) bench/tracing.py
	@$(PYTHON) bench/transfer.py
	@$(PYTHON) bench/peers.py
	@$(PYTHON) bench/enqueueing.py
	@$(PYTHON) bench/rendering.py
	@$(PYTHON) bench/fetching.py
	@$(PYTHON) bench/counting.py
	@$(PYTHON) bench/confinement.py
	@$(PYTHON) bench/eevee.py
	@$(PYTHON) bench/slicing.py

fuzz: setup ## The .blend reader and the tracer with any bytes, ten minutes each
	@command -v cargo-fuzz >/dev/null || { echo "error: run: cargo install cargo-fuzz --locked" >&2; exit 1; }
	@$(PYTHON) -W ignore tests/fixtures/scenes.py build/fuzz/scenes >/dev/null
	@for target in read trace; do \
	    mkdir -p build/fuzz/$$target; \
	    for scene in build/fuzz/scenes/*; do cp $$scene/show/shots/shot.blend build/fuzz/$$target/$${scene##*/}.blend; done; \
	    (cd native/blendfile && RUSTC_BOOTSTRAP=1 cargo fuzz run --target-dir ../../target/fuzz $$target ../../build/fuzz/$$target -- \
	        -max_total_time=$(FUZZ_SECONDS) -timeout=5 -rss_limit_mb=2048 -malloc_limit_mb=512 -max_len=2000000 -print_final_stats=1); \
	done

lint: build ## Formatters and linters, nothing changed
	@cargo fmt --all --check
	@cargo clippy --release --locked --workspace --all-targets --quiet -- -D warnings
	@$(PYTHON) -m ruff format --check --quiet .
	@$(PYTHON) -m ruff check --quiet .
	@$(PYTHON) -m basedpyright --level error
	@.tools/venv/bin/cfn-lint infra/template.yaml

checkov: ## Ask checkov of the stack (in a Python of its own: it brings a hundred packages)
	@[ -x .tools/checkov/bin/checkov ] || python3 -m venv .tools/checkov
	@.tools/checkov/bin/pip install --quiet --disable-pip-version-check checkov==$(CHECKOV)
	@.tools/checkov/bin/checkov --config-file infra/checkov.yaml --file infra/template.yaml

format: setup ## Format everything
	@cargo fmt --all
	@$(PYTHON) -m ruff format .
	@$(PYTHON) -m ruff check --fix .

schemas: ## Write the JSON Schemas of the protocol into docs/schemas
	@cargo run --release --quiet -p render-on-lambda-protocol --example write_schemas docs/schemas

clean: ## Delete what was built and installed here
	rm -rf target build .tools demo-output
