#!/usr/bin/env bash
# Packs the release binary with licence, README and changelog into target/dist, with a checksum.
# Publishes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

binary=target/release/tidegate
version=$("$binary" --version | awk '{ print $2 }')
target=$(rustc -vV | sed -n 's/^host: //p')
name=tidegate-$version-$target
dist=target/dist

rm -rf "$dist"
mkdir -p "$dist/$name"
cp "$binary" LICENSE README.md CHANGELOG.md SECURITY.md "$dist/$name/"
tar -C "$dist" -czf "$dist/$name.tar.gz" "$name"
rm -rf "${dist:?}/$name"
(cd "$dist" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
ls -l "$dist"
