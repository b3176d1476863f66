#!/usr/bin/env bash
# npm.sh TREE PLATFORM DIST: makes the npm package of one platform. It has no dependencies and runs
# no script at installation: npm links the binary and its man pages.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/dist.sh
describe "$@"

case $processor in
x86_64) cpu=x64 ;;
aarch64) cpu=arm64 ;;
*) give_up dist "npm.sh has no name for the processor of $platform, add one" ;;
esac

package=$work/package
mkdir -p "$package/bin" "$package/man"
cp "$tree/bin/tidegate" "$package/bin/"
cp "$tree/share/man/man1/"* "$package/man/"
cp LICENSE "$tree/share/doc/tidegate/THIRD-PARTY" "$package/"
pages=$(cd "$package" && printf '"%s", ' man/*)
cat >"$package/package.json" <<END
{
  "name": "@tidegate/cli-linux-$cpu",
  "version": "$version",
  "description": "$summary",
  "license": "Apache-2.0",
  "repository": "$homepage",
  "os": ["linux"], "cpu": ["$cpu"], "libc": ["glibc"],
  "bin": { "tidegate": "bin/tidegate" },
  "man": [${pages%, }]
}
END
cat >"$package/README.md" <<END
The command \`tidegate\` for Linux on $cpu, which runs stream-processing jobs whose operators are
WebAssembly components.
END
tar_gz "$dist/tidegate-cli-linux-$cpu-$version.tgz" "$work" package
