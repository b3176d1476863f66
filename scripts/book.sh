#!/usr/bin/env bash
# Builds docs/ into target/book/html with mdBook of a pinned version, which it builds from crates.io
# into target/tools first if it is not there.
#
# The pages link to files of the project outside of docs/. The book is built from a copy in which
# these links lead to the repository.
set -euo pipefail
cd "$(dirname "$0")/.."

version=0.5.4
tools=target/tools
if ! "$tools/bin/mdbook" --version 2>/dev/null | grep -qx "mdbook v$version"; then
    "${CARGO:-cargo}" install mdbook --version "$version" --locked --debug \
        --no-default-features --features search --root "$tools" --target-dir "$tools/build"
fi

repository=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
book=target/book
rm -rf "$book"
mkdir -p target
cp -r docs "$book"
# From a page in docs/, `../FILE` is a file of the project; from one in a folder, `../../FILE`.
sed -i "s|](\.\./|]($repository/blob/main/|g" "$book"/*.md
sed -i "s|](\.\./\.\./|]($repository/blob/main/|g" "$book"/*/*.md
if grep -rnE '\]\((\.\./){2}' --include='*.md' "$book"; then
    echo "book: the script can't rewrite these links, which leave the book" >&2
    exit 1
fi
exec "$tools/bin/mdbook" build "$book"
