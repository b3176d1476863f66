#!/usr/bin/env bash
# Finds or installs the compiler of guests: Rust for wasm32-unknown-unknown. Looks where
# `tidegate build` looks (host/authoring/src/build/rust/toolchain.rs).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

target=wasm32-unknown-unknown
packages=(rustc-web cargo-web rust-web-src rust-web-llvm)

# The compiler's lib/rustlib, if the compiler is there and works.
libraries() {
    local sysroot
    sysroot=$(env -u RUSTUP_TOOLCHAIN "$1" --print sysroot 2>/dev/null) || return 1
    echo "$sysroot/lib/rustlib"
}

has_target() {
    compgen -G "$1/$target/lib/libstd-*.rlib" >/dev/null
}

# Prints the compiler that was found, or fails.
find_toolchain() {
    local own distribution sources=src/rust/library/std/Cargo.toml
    if own=$(libraries rustc) && has_target "$own"; then
        echo "guest toolchain: $(rustc --version), with the target $target"
    elif [ -x /usr/bin/cargo ] && distribution=$(libraries /usr/bin/rustc); then
        if has_target "$distribution"; then
            echo "guest toolchain: $(/usr/bin/rustc --version), with the target $target"
        elif [ -e "$distribution/$sources" ] && [ -e /usr/bin/rust-lld ]; then
            echo "guest toolchain: $(/usr/bin/rustc --version), with the sources of std"
        else
            return 1
        fi
    else
        return 1
    fi
}

if find_toolchain; then
    exit 0
fi

if install_packages "${packages[@]}"; then
    # The linker is a link into a package that none of these asks for, such as lld-22.
    if [ -L /usr/bin/rust-lld ] && [ ! -e /usr/bin/rust-lld ]; then
        install_packages "$(basename "$(readlink /usr/bin/rust-lld)")"
    fi
    find_toolchain && exit 0
fi

give_up "guest toolchain" "no Rust compiler for $target was found; install one with either of
    rustup target add $target
    apt-get install --no-install-recommends ${packages[*]} lld-22"
