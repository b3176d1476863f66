#!/usr/bin/env bash
# Installs the tools that build and test the host: cargo, a linker, and strace, with which a test
# records the files that the host opens.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need cargo rustc-web cargo-web
need cc gcc libc6-dev
need strace strace
install_wanted "host toolchain" \
    "install Rust 1.95 or newer (https://rustup.rs), a C linker and strace"
echo "host toolchain: $(cargo --version), $(cc --version | head -n 1)"
