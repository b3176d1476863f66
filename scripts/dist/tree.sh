#!/usr/bin/env bash
# tree.sh BINARY PLATFORM TREE: lays out the files that every package installs, as below /usr: the
# binary, the completions and man pages that it prints, the licences and the documents.
set -euo pipefail
cd "$(dirname "$0")/../.."

binary=$1 platform=$2 tree=$3
share=$tree/share

rm -rf "$tree"
umask 022
mkdir -p "$tree/bin" "$share/bash-completion/completions" "$share/zsh/site-functions" \
    "$share/fish/vendor_completions.d" "$share/doc/tidegate"
install -m 755 "$binary" "$tree/bin/tidegate"
tidegate=$tree/bin/tidegate
"$tidegate" completions bash >"$share/bash-completion/completions/tidegate"
"$tidegate" completions zsh >"$share/zsh/site-functions/_tidegate"
"$tidegate" completions fish >"$share/fish/vendor_completions.d/tidegate.fish"
"$tidegate" man "$share/man/man1" >/dev/null
install -m 644 LICENSE README.md CHANGELOG.md SECURITY.md "$share/doc/tidegate/"
scripts/dist/third_party.py "$platform" >"$share/doc/tidegate/THIRD-PARTY"
