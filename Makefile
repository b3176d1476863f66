# What a person or CI does with the project. `make help` lists it.

CARGO ?= cargo
DEBUG := target/debug/tidegate
RELEASE := target/release/tidegate
BENCH := target/release/tidegate-bench
# The operators' own tests run natively, without wasm.
IN_EXAMPLES := --manifest-path examples/Cargo.toml --target-dir target/native-guests
GUEST_CRATES := --locked -L error --config deny.toml
# The languages that have the counter of word-count, beside Rust.
COUNTERS := c go javascript python
IN_TEST_GUESTS := --manifest-path tests/guests/Cargo.toml --target-dir target/native-guests

.PHONY: help setup demo demo-polyglot test check guests reference fuzz deny advisories release kill-soak recycle-soak soak mutants bench bench-micro bench-languages clean

help: ## This list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup: ## Install what is missing on this machine (Debian, as root) or say what is
	scripts/host-toolchain.sh
	scripts/guest-toolchain.sh
	scripts/test-tools.sh
	scripts/sdk/c.sh install
	scripts/sdk/python.sh install
	scripts/sdk/go.sh install
	scripts/sdk/javascript.sh install

release: setup ## Build the tidegate binary, optimised
	$(CARGO) build --release -p tidegate

demo: release ## Word count over real text, killed on the way, resumed, and checked
	$(RELEASE) build examples
	scripts/demo.sh

demo-polyglot: release ## One job with operators in five languages, killed on the way and checked
	$(RELEASE) build examples
	$(RELEASE) build examples/polyglot
	scripts/demo-polyglot.sh

# One selection of packages for build and test: another one has other features, and wasmtime would
# be compiled twice.
guests: setup ## Build the components that the tests use
	$(CARGO) test --workspace --locked --no-run
	$(DEBUG) build examples
	$(DEBUG) build tests/guests
	$(DEBUG) build examples/polyglot
	for sdk in $(COUNTERS); do $(DEBUG) build guest-sdk/$$sdk/examples/count || exit 1; done
	$(DEBUG) build guest-sdk/go/testdata
	$(DEBUG) build guest-sdk/javascript/test/guests

check: ## Format and lints
	$(CARGO) fmt --all --check
	$(CARGO) fmt --all --check --manifest-path examples/Cargo.toml
	$(CARGO) fmt --all --check --manifest-path tests/guests/Cargo.toml
	$(CARGO) clippy --workspace --all-targets --locked -- -D warnings
	$(CARGO) clippy $(IN_EXAMPLES) --all-targets --locked -- -D warnings
	$(CARGO) clippy $(IN_TEST_GUESTS) --all-targets --locked -- -D warnings

test: guests check deny ## Everything that CI checks: format, lints, dependencies, all tests, docs
	$(CARGO) test --workspace --locked
	$(CARGO) test $(IN_EXAMPLES) --locked
	$(CARGO) test $(IN_TEST_GUESTS) --locked
	scripts/sdk/c.sh test
	scripts/sdk/python.sh test
	scripts/sdk/go.sh test
	scripts/sdk/javascript.sh test
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

kill-soak: guests ## 10,000 SIGKILLs at random moments; another number for each of 6 cases in KILLS
	TIDEGATE_TEST_KILLS=$(or $(KILLS),1667) $(CARGO) test --workspace --locked --test integration \
		kill:: -- --nocapture

recycle-soak: guests ## 100,000 batches through a guest that leaks; another COMPONENT that counts, BATCHES, MEMORY
	TIDEGATE_TEST_RECYCLE_BATCHES=$(or $(BATCHES),100000) \
		$(if $(COMPONENT),TIDEGATE_TEST_RECYCLE_COMPONENT=$(abspath $(COMPONENT))) \
		$(if $(MEMORY),TIDEGATE_TEST_RECYCLE_MEMORY=$(MEMORY)) \
		$(CARGO) test --workspace --locked --test integration stays_level -- --nocapture

reference: ## Write docs/reference again, from the declarations in the code
	TIDEGATE_WRITE_REFERENCE=1 $(CARGO) test --workspace --locked --lib --bin tidegate reference

fuzz: guests ## Fuzz everything that reads what others wrote; options in ARGS, such as --minutes 1
	scripts/fuzz.sh $(ARGS)

deny: ## Check licences, sources and banned crates of all dependencies
	scripts/cargo-deny.sh --locked -L error check bans licenses sources
	scripts/cargo-deny.sh $(GUEST_CRATES) --manifest-path examples/Cargo.toml check bans licenses sources
	scripts/cargo-deny.sh $(GUEST_CRATES) --manifest-path tests/guests/Cargo.toml check bans licenses sources

advisories: ## Ask the RustSec database about all dependencies (needs the network)
	scripts/cargo-deny.sh --locked check advisories

bench: release ## Measure all benchmark jobs; options in ARGS, such as --quick, --job NAME, --json
	$(CARGO) build --release -p tidegate-bench
	$(RELEASE) build examples
	$(RELEASE) build tests/guests
	$(BENCH) $(ARGS)

bench-micro: release ## Measure the parts by time (criterion) and instructions (callgrind)
	$(RELEASE) build examples
	$(RELEASE) build tests/guests
	$(CARGO) bench -p tidegate-bench $(ARGS)

bench-languages: release ## Measure the same operator in every language; names of languages in ARGS
	$(RELEASE) build examples
	for sdk in $(COUNTERS); do $(RELEASE) build guest-sdk/$$sdk/examples/count || exit 1; done
	$(CARGO) bench -p tidegate-bench --bench languages -- $(ARGS)

# The same selection of packages as in `guests`.
soak: ## Simulate whole jobs until something is found; options in ARGS, such as --for 8h, --seed N
	$(CARGO) test --workspace --locked --no-run --test simulation
	target/debug/tidegate-sim $(ARGS)

mutants: ## Show that the simulation finds what it should; names of patches in ARGS
	scripts/mutants.sh $(ARGS)

clean: ## Remove what was built and what the demo wrote
	rm -rf target demo
