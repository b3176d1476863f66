# What a person or CI does with the project. `make help` lists it.

CARGO ?= cargo
DEBUG := target/debug/tidegate
RELEASE := target/release/tidegate
BENCH := target/release/tidegate-bench
# The operators' own tests run natively, without wasm.
IN_EXAMPLES := --manifest-path examples/Cargo.toml --target-dir target/native-guests
# The tests build operators in Rust here, too: they share the compiled crates.
WITH_STD := --target-dir target/guests
GUEST_CRATES := --locked -L error --config deny.toml
# The languages whose SDK has checks of its own, beside Rust.
SDKS := c python go javascript
# The languages that have the counter of word-count, beside Rust.
COUNTERS := c go javascript python
IN_TEST_GUESTS := --manifest-path tests/guests/Cargo.toml --target-dir target/native-guests

.PHONY: help setup setup-demo setup-test demo demo-polyglot doc book reference
.PHONY: test test-host test-guests test-sdks test-packages test-dist test-simulation image
.PHONY: check guests fuzz deny advisories release dist kill-soak recycle-soak soak mutants clean
.PHONY: bench bench-micro bench-languages bench-compare bench-index lint-workflows

help: ## This list
	@grep -E '^[a-z%-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 20

setup: setup-demo ## Install what the binary and operators in Rust need (Debian, as root) or name it

setup-test: setup-demo $(SDKS:%=setup-sdk-%) ## Install what the tests and all SDKs need, too
	scripts/test-tools.sh

setup-demo:
	scripts/host-toolchain.sh
	scripts/guest-toolchain.sh

setup-sdk-%: ## What one SDK needs: setup-sdk-c, -go, -javascript or -python
	scripts/sdk/$*.sh install

release: setup ## Build the tidegate binary, optimised
	$(CARGO) build --release -p tidegate

demo: release ## Word count over real text, killed while running, resumed, and checked
	$(RELEASE) build examples/word-count
	scripts/demo.sh

demo-polyglot: setup-test release ## One job with operators in five languages, killed, resumed, and checked
	$(RELEASE) build examples
	$(RELEASE) build examples/polyglot
	scripts/demo-polyglot.sh

# One selection of packages for build and test: another one has other features, and wasmtime would
# be compiled twice.
guests: setup-test ## Build the components that the tests use
	$(CARGO) test --workspace --locked --no-run
	$(DEBUG) build examples $(WITH_STD)
	$(DEBUG) build tests/guests $(WITH_STD)
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

test: guests check lint-workflows deny test-host test-guests test-sdks test-packages doc ## All that CI checks

test-host: ## Tests of the host and of the real binary; `make guests` first
	$(CARGO) test --workspace --locked

test-guests: ## Native tests of the operators in Rust
	$(CARGO) test $(IN_EXAMPLES) --locked
	$(CARGO) test $(IN_TEST_GUESTS) --locked

test-sdks: $(SDKS:%=test-sdk-%) ## Each SDK's own checks

test-sdk-%: ## The checks of one SDK: test-sdk-c, -go, -javascript or -python
	scripts/sdk/$*.sh test

test-packages: ## Install packages of the debug binary as a user; `make guests` first
	strip -o target/tidegate-stripped $(DEBUG)
	scripts/dist/pack.sh target/tidegate-stripped target/dist-debug
	scripts/dist/test.sh target/dist-debug
	scripts/dist/first-hour.sh target/dist-debug

image: ## Build a container image from target/dist with docker or podman, and try it
	scripts/dist/image.sh

test-dist: dist ## Install the packages of the release binary as a user
	scripts/guest-toolchain.sh
	scripts/dist/test.sh
	scripts/dist/first-hour.sh

test-simulation: ## Simulated jobs through crashes and power failures
	$(CARGO) test --workspace --locked --test simulation

doc: ## API documentation of the crates, without warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --no-deps --locked

book: ## Build docs/ as a website in target/book/html
	scripts/book.sh

lint-workflows: ## Check .github/workflows with actionlint
	scripts/lint-workflows.sh

dist: ## Packages of the release binary in target/dist: archive, wheel, npm, Debian
	scripts/dist/build.sh
	scripts/dist/pack.sh

kill-soak: guests ## 10,000 SIGKILLs at random moments; another number for each of 6 cases in KILLS
	TIDEGATE_TEST_KILLS=$(or $(KILLS),1667) $(CARGO) test --workspace --locked --test integration \
		kill:: -- --nocapture

recycle-soak: guests ## 100,000 batches through a guest that leaks; another COMPONENT that counts, BATCHES, MEMORY
	TIDEGATE_TEST_RECYCLE_BATCHES=$(or $(BATCHES),100000) \
		$(if $(COMPONENT),TIDEGATE_TEST_RECYCLE_COMPONENT=$(abspath $(COMPONENT))) \
		$(if $(MEMORY),TIDEGATE_TEST_RECYCLE_MEMORY=$(MEMORY)) \
		$(CARGO) test --workspace --locked --test integration stays_level -- --nocapture

reference: ## Write docs/reference and the bindings of the Rust SDK again, from their sources
	TIDEGATE_WRITE_REFERENCE=1 $(CARGO) test --workspace --locked --lib --bin tidegate reference
	TIDEGATE_WRITE_BINDINGS=1 $(CARGO) test --workspace --locked --test bindings

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

bench-compare: release ## Measure an older commit, BASE, beside this one, in turn; ROUNDS of it
	$(CARGO) build --release -p tidegate-bench
	$(RELEASE) build examples
	$(RELEASE) build tests/guests
	scripts/bench-compare.sh $(or $(BASE),$(error name a commit: make bench-compare BASE=COMMIT)) $(ROUNDS)

bench-index: ## Write tests/bench/results/index.jsonl again
	$(CARGO) build --release -p tidegate-bench
	$(BENCH) index

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
	rm -rf target demo demo-polyglot
