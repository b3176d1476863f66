#!/usr/bin/env bash
# Makes sure that the host can be built and tested: cargo, a linker, and strace, with which a test
# records what the host opens. On Debian as root it installs them; elsewhere it says what to
# install. Does nothing, and needs no network, when they are there.
set -euo pipefail

missing=()
command -v cargo >/dev/null || missing+=(rustc-web cargo-web)
command -v cc >/dev/null || missing+=(gcc libc6-dev)
command -v strace >/dev/null || missing+=(strace)
if [ ${#missing[@]} -eq 0 ]; then
    echo "host toolchain: $(cargo --version), $(cc --version | head -n 1)"
    exit 0
fi

if [ -e /etc/debian_version ] && [ "$(id -u)" -eq 0 ]; then
    apt-get update
    apt-get install -y --no-install-recommends "${missing[@]}"
else
    echo "host toolchain: install Rust 1.95 or newer (https://rustup.rs), a C linker and strace" >&2
    exit 1
fi
