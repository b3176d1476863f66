#!/usr/bin/env bash
# The tools and the checks of the C SDK.
#
#   scripts/sdk/c.sh install   installs the compilers and checkers, as root on Debian
#   scripts/sdk/c.sh test      formats, lints, unit tests under the sanitizers
set -euo pipefail
cd "$(dirname "$0")/../../guest-sdk/c"
. ../../scripts/lib/packages.sh

# Pinned: another version formats and warns otherwise.
llvm=22
compilers=(clang-$llvm lld-$llvm libclang-rt-$llvm-dev-wasm32 wasi-libc
    libc++-$llvm-dev-wasm32 libc++abi-$llvm-dev-wasm32)
checkers=(clang-format-$llvm clang-tidy-$llvm gcc g++ cmake ninja-build)

install() {
    need_package "${compilers[@]}" "${checkers[@]}"
    install_wanted "C SDK"
}

sources() {
    find include src testing tests examples ../../host/authoring/templates/c \
        -path '*/target/*' -prune -o -path '*/build/*' -prune -o \
        \( -name '*.[ch]' -o -name '*.[ch]pp' \) -print
}

check() {
    local build=../../target/sdk-c
    sources | xargs clang-format-$llvm --dry-run --Werror
    # Warnings are errors here and not for authors, whose compiler may be a newer one.
    cmake -G Ninja -S . -B "$build" --log-level=WARNING -DCMAKE_EXPORT_COMPILE_COMMANDS=ON \
        -DCMAKE_C_FLAGS=-Werror -DCMAKE_CXX_FLAGS=-Werror >/dev/null
    ninja -C "$build" --quiet
    ctest --test-dir "$build" --output-on-failure --no-tests=error
    template
    find src testing -name '*.c' ! -path '*/wasm/*' -print0 |
        xargs -0 -P "$(nproc)" -n 4 clang-tidy-$llvm -p "$build" --quiet
}

# The project that `tidegate new NAME --lang c` writes, with its native tests.
template() {
    local project=../../target/sdk-c-template
    rm -rf "$project"
    cp -r ../../host/authoring/templates/c "$project"
    find "$project" -type f -exec sed -i "s|{{name}}|total|g
        s|{{sdk}}|REQUIRED PATHS [=[$PWD/cmake]=] NO_DEFAULT_PATH|" {} +
    cmake -G Ninja -S "$project" -B "$project/build" --log-level=WARNING >/dev/null
    ninja -C "$project/build" --quiet
    ctest --test-dir "$project/build" --output-on-failure --no-tests=error
}

case "${1:-}" in
    install) install ;;
    test) check ;;
    *)
        echo "usage: $0 install|test" >&2
        exit 2
        ;;
esac
