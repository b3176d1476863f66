#!/usr/bin/env bash
# Installs the tools that build the host: cargo and a linker.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need cargo rustc-web cargo-web
need cc gcc libc6-dev
install_wanted "host toolchain" \
    "install Rust 1.95 or newer (https://rustup.rs) and a C linker"
echo "host toolchain: $(cargo --version), $(cc --version | head -n 1)"
