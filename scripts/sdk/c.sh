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
# For the templates: authors may use them, too.
warnings="-Wall -Wextra -Wpedantic -Wshadow -Werror"
checkers=(clang-format-$llvm clang-tidy-$llvm gcc g++ cmake ninja-build)

install() {
    need_package "${compilers[@]}" "${checkers[@]}"
    install_wanted "C SDK"
}

sources() {
    find include src testing tests examples ../../host/authoring/templates/{c,cpp} \
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
    check_templates
    find src testing -name '*.c' ! -path '*/wasm/*' -print0 |
        xargs -0 -P "$(nproc)" -n 4 clang-tidy-$llvm -p "$build" --quiet
}

# The projects that `tidegate new` writes in C and C++, with their native tests: as parts of one
# project, so that the SDK is compiled once.
check_templates() {
    local all=../../target/sdk-c-templates templates=../../host/authoring/templates source name
    rm -rf "$all"
    mkdir -p "$all"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.20)' 'project(all LANGUAGES C CXX)' \
        'enable_testing()' >"$all/CMakeLists.txt"
    for source in "$templates"/{c,cpp}/{map,keyed-state,two-inputs,raw}; do
        name=$(basename "$(dirname "$source")")-$(basename "$source")
        cp -r "$(dirname "$source")/project" "$all/$name"
        cp -r "$source"/* "$all/$name"
        sed -i "s|{{name}}|$name|g
            s|{{sdk}}|REQUIRED PATHS [=[$PWD/cmake]=] NO_DEFAULT_PATH|" "$all/$name/CMakeLists.txt"
        echo "add_subdirectory($name)" >>"$all/CMakeLists.txt"
    done
    cmake -G Ninja -S "$all" -B "$all/build" --log-level=WARNING \
        -DCMAKE_C_FLAGS="$warnings" -DCMAKE_CXX_FLAGS="$warnings" >/dev/null
    ninja -C "$all/build" --quiet
    ctest --test-dir "$all/build" --output-on-failure --no-tests=error
}

case "${1:-}" in
    install) install ;;
    test) check ;;
    *)
        echo "usage: $0 install|test" >&2
        exit 2
        ;;
esac
