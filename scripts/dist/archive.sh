#!/usr/bin/env bash
# archive.sh TREE PLATFORM DIST: makes tidegate-VERSION-PLATFORM.tar.gz.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/dist.sh
describe "$@"

name=tidegate-$version-$platform
cp -R "$tree" "$work/$name"
tar_gz "$dist/$name.tar.gz" "$work" "$name"
