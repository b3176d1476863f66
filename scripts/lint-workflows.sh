#!/usr/bin/env bash
# Checks the workflows with actionlint of a pinned version, which it builds through the Go module
# proxy into target/tools first if it is not there.
set -euo pipefail
cd "$(dirname "$0")/.."

version=1.7.12
tools=$PWD/target/tools/bin
if ! "$tools/actionlint" -version 2>/dev/null | grep -qFx "v$version"; then
    if ! command -v go >/dev/null; then
        echo "lint-workflows: install Go 1.24 or newer (scripts/sdk/go.sh install)" >&2
        exit 1
    fi
    GOBIN=$tools go install "github.com/rhysd/actionlint/cmd/actionlint@v$version"
fi
exec "$tools/actionlint" "$@"
