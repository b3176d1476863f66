#!/usr/bin/env bash
# Runs cargo-deny of a pinned version, which it builds from crates.io into target/tools first if it
# is not there. Unoptimised: that builds in a third of the time, and a check takes a second anyway.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.20.2
tools=target/tools
if ! "$tools/bin/cargo-deny" --version 2>/dev/null | grep -qx "cargo-deny $version"; then
    cargo install cargo-deny --version "$version" --locked --debug \
        --root "$tools" --target-dir "$tools/build"
fi
exec "$tools/bin/cargo-deny" "$@"
