#!/usr/bin/env bash
# The tools and the checks of the Go SDK.
#
#   scripts/sdk/go.sh install    finds Go, or installs it as root, or names the missing package
#   scripts/sdk/go.sh test       format, vet, tests and vectors of the SDK, examples and templates
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh

minor=24
wanted="Go 1.$minor or newer, from https://go.dev/dl or Debian's golang-go, with \`go\` in the PATH"

# The modules to check: the SDK, its examples, the guests of the host's tests.
modules=(guest-sdk/go guest-sdk/go/examples/* guest-sdk/go/testdata/*)

find_go() {
    local program version
    for program in go /usr/local/go/bin/go; do
        version=$("$program" env GOVERSION 2>/dev/null) || continue
        version=${version#go1.}
        if [ "${version%%[!0-9]*}" -ge "$minor" ]; then
            go=$program
            return
        fi
    done
    return 1
}

install() {
    find_go || install_packages golang-go >&2 || true
    need_go
}

need_go() {
    find_go || give_up "Go SDK" "no Go was found; install $wanted"
}

# Nothing here may come from the network, and nothing may depend on this machine's settings.
settle() {
    export GOFLAGS=-mod=readonly GOPROXY=off GOTOOLCHAIN=local GOENV=off GOWORK=off
    export CGO_ENABLED=0
}

check_module() {
    local unformatted
    unformatted=$("$("$go" env GOROOT)/bin/gofmt" -l .)
    if [ -n "$unformatted" ]; then
        echo "run gofmt on: $unformatted" >&2
        exit 1
    fi
    "$go" vet ./...
    # Pointers that leave their memory are found where they are made.
    "$go" test -gcflags=all=-d=checkptr ./...
}

# A template as `tidegate new` writes it.
check_template() {
    local sdk=github.com/tidegate/tidegate/guest-sdk/go
    rm -rf "$folder"/*
    cp "$1"/*.go "$folder"
    printf 'module example.com/total\n\ngo 1.%s\n\nrequire %s v0.0.0\n\nreplace %s => "%s"\n' \
        "$minor" "$sdk" "$sdk" "$PWD/guest-sdk/go" >"$folder/go.mod"
    (cd "$folder" && check_module)
}

case "${1:-}" in
install)
    install
    ;;
test)
    need_go
    settle
    for module in "${modules[@]}"; do
        echo "== $module"
        (cd "$module" && check_module)
    done
    echo "== guest-sdk/go, as part of a component"
    (cd guest-sdk/go && GOOS=wasip1 GOARCH=wasm "$go" vet . ./internal/...)
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    for template in host/authoring/templates/go/*/operator.go; do
        echo "== $template"
        check_template "$(dirname "$template")"
    done
    ;;
*)
    sed -n '2,5s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
