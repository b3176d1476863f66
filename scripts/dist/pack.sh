#!/usr/bin/env bash
# pack.sh [BINARY [DIST]]: packs a binary for this machine, by default the one that build.sh made,
# into an archive, a wheel, an npm package and a Debian package, with checksums, in target/dist.
# Publishes nothing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/dist.sh

platform=$(host_platform)
binary=${1:-target/$platform/release/tidegate}
dist=${2:-target/dist}
need objdump binutils
need dpkg-deb dpkg
install_wanted dist
python_tools wheel wheel==0.45.1
# The same commit gives the same packages.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

rm -rf "$dist"
mkdir -p "$dist"
tree=$dist/tree
scripts/dist/tree.sh "$binary" "$platform" "$tree"
for package in archive wheel npm debian; do
    "scripts/dist/$package.sh" "$tree" "$platform" "$dist"
done
rm -rf "$tree" "$dist/work"
cp scripts/install.sh "$dist/"
(cd "$dist" && sha256sum -- * >../SHA256SUMS.partial && mv ../SHA256SUMS.partial SHA256SUMS)
ls -l "$dist"
