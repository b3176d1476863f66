#!/usr/bin/env bash
# Builds the release binary for this machine's processor, stripped, in target/PLATFORM/release.
#
# Zig links it against an old C library, whatever the machine has: cargo-zigbuild and Zig come from
# PyPI into target/tools/zig. The script then checks the binary's symbols and its size.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/dist.sh

largest_megabytes=40

need cargo rustc-web cargo-web
need cc gcc libc6-dev # for build scripts
need objdump binutils
install_wanted dist "install Rust 1.95 or newer (https://rustup.rs), a C linker and binutils"
python_tools zig cargo-zigbuild==0.24.1 ziglang==0.15.2

platform=$(host_platform)
binary=target/$platform/release/tidegate
PATH=$PWD/target/tools/zig/bin:$PATH CARGO_PROFILE_RELEASE_STRIP=symbols \
    "${CARGO:-cargo}" zigbuild --release --locked -p tidegate --target "$platform.$oldest_glibc"

needed=$(needed_glibc "$binary")
if [ "$(newest "$needed" "$oldest_glibc")" != "$oldest_glibc" ]; then
    give_up dist "$binary needs glibc $needed, newer than $oldest_glibc"
fi
bytes=$(wc -c <"$binary")
if [ "$bytes" -ge $((largest_megabytes * 1000 * 1000)) ]; then
    give_up dist "$binary has $bytes bytes, more than $largest_megabytes MB"
fi
echo "dist: $binary needs glibc $needed and has $((bytes / 1000)) kB"
