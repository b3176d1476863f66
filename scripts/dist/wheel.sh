#!/usr/bin/env bash
# wheel.sh TREE PLATFORM DIST: makes a wheel that puts the binary on the PATH of an environment, in
# the binary distribution format of the Python Packaging Authority.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/dist.sh
describe "$@"

# Python writes 1.0.0rc1 for 1.0.0-rc.1.
python_version=$(sed -E 's/-(alpha|beta|rc)\.?([0-9]+)$/\1\2/' <<<"$version")
tag=py3-none-manylinux_$(gnu_libc "$tree" | tr . _)_$processor
name=tidegate-$python_version
info=$work/$name.dist-info
data=$work/$name.data
mkdir -p "$info/licenses" "$data/scripts" "$data/data"
cp "$tree/bin/tidegate" "$data/scripts/"
cp -R "$tree/share" "$data/data/"
cp LICENSE "$tree/share/doc/tidegate/THIRD-PARTY" "$info/licenses/"
cat >"$info/WHEEL" <<END
Wheel-Version: 1.0
Generator: tidegate
Root-Is-Purelib: false
Tag: $tag
END
cat >"$info/METADATA" <<END
Metadata-Version: 2.4
Name: tidegate
Version: $python_version
Summary: $summary
License-Expression: Apache-2.0
License-File: LICENSE
License-File: THIRD-PARTY
Project-URL: Repository, $homepage
Requires-Python: >=3.8
Description-Content-Type: text/markdown

The command \`tidegate\`, which runs stream-processing jobs whose operators are WebAssembly
components. The package contains no Python module: operators in Python use the SDK.
END
target/tools/wheel/bin/wheel pack --dest-dir "$dist" "$work" >/dev/null
