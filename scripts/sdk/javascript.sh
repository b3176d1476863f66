#!/usr/bin/env bash
# javascript.sh install: installs the tools that build and test operators in JavaScript: Node.js 20
#   with npm, and the packages of guest-sdk/javascript/package-lock.json, beside it in node_modules.
#   Does nothing, and needs no network, if nothing is missing.
# javascript.sh test: runs the checks of the SDK and of the templates: format, lints, types, unit
#   tests and vectors.
set -euo pipefail
cd "$(dirname "$0")/../../guest-sdk/javascript"
. ../../scripts/lib/packages.sh

oldest=20
# The lock file of the installed packages, so that they are not installed again.
stamp=node_modules/.tidegate-lock

has_node() {
    command -v node >/dev/null && command -v npm >/dev/null &&
        [ "$(node --print 'process.versions.node.split(".")[0]')" -ge "$oldest" ]
}

install_node() {
    if has_node; then
        return
    fi
    install_packages nodejs npm || true
    has_node ||
        give_up "JavaScript SDK" "install Node.js $oldest or newer, with npm: https://nodejs.org"
}

install() {
    install_node
    if ! cmp --silent package-lock.json "$stamp"; then
        npm ci --ignore-scripts --no-audit --no-fund
        cp package-lock.json "$stamp"
    fi
    local version
    version=$(node --print 'require("componentize-qjs/package.json").version')
    echo "javascript: node $(node --version), componentize-qjs $version"
}

# The tests of the templates, in folders from which they find the SDK. Node.js 20 runs no
# TypeScript, so the bundler removes the types.
test_templates() {
    local templates=../../host/authoring/templates copies=../../target/sdk-javascript-templates
    rm -rf "$copies"
    mkdir -p "$copies/node_modules/@tidegate"
    ln -s "$PWD" "$copies/node_modules/@tidegate/sdk"
    cp -r "$templates/javascript" "$templates/typescript" "$copies"
    local test
    for test in "$copies"/typescript/*/test/*.ts; do
        node_modules/.bin/esbuild "$test" --bundle --platform=node --format=esm \
            --log-level=warning --outfile="${test%.ts}.js"
    done
    node --test "$copies"/*/*/test/*.test.js
}

case "${1:-}" in
install) install ;;
test)
    # The operators here import the SDK as an author's do.
    for package in examples/count test/guests/faults test/guests/vectors; do
        if [ ! -e "$package/node_modules/@tidegate/sdk" ]; then
            (cd "$package" && npm install --ignore-scripts --no-audit --no-fund --offline)
        fi
    done
    npm run --silent check
    npm run --silent test
    test_templates
    ;;
*)
    echo "usage: $0 install|test" >&2
    exit 2
    ;;
esac
