#!/usr/bin/env bash
# The tools and the checks of the Python SDK.
#
#     python.sh install   componentize-py and the checkers, into target/tools/python
#     python.sh test      format, lints, types, tests with the shared vectors, and the templates
#
# `install` needs Python 3.11 or newer with venv, which it installs on Debian as root; elsewhere it
# reports the missing package. It does nothing, and needs no network, if nothing is missing.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh

export RUFF_OUTPUT_FORMAT=concise RUFF_CACHE_DIR=$PWD/target/ruff
TOOLS=target/tools/python
SDK=guest-sdk/python
REQUIREMENTS=$SDK/requirements-dev.txt
# The compiler, which `tidegate doctor python --fix` installs for authors.
COMPILER=host/authoring/tools/python.txt

has_python() {
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

install() {
    if [ -x $TOOLS/bin/componentize-py ] &&
        cat $COMPILER $REQUIREMENTS | cmp -s - $TOOLS/installed.txt; then
        echo "Python SDK: $($TOOLS/bin/componentize-py --version), $($TOOLS/bin/mypy --version)"
        return
    fi
    has_python || install_packages python3 python3-venv || true
    has_python || give_up "Python SDK" "install Python 3.11 or newer with venv"
    rm -rf $TOOLS
    mkdir -p "$(dirname $TOOLS)"
    python3 -m venv $TOOLS
    for list in $COMPILER $REQUIREMENTS; do
        $TOOLS/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement "$list"
    done
    cat $COMPILER $REQUIREMENTS >$TOOLS/installed.txt
}

unit_tests() { # the folders on the path, then that of the tests
    PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$1 $TOOLS/bin/python -m unittest discover -q -s "$2"
}

check() {
    local templates=host/authoring/templates/python
    # The bindings that componentize-py generates at build time.
    local bindings=target/python-bindings
    rm -rf $bindings
    $TOOLS/bin/componentize-py --quiet --wit-path wit --world stream-operator bindings $bindings
    # The settings name folders relative to where ruff runs.
    (cd $SDK && "$OLDPWD/$TOOLS/bin/ruff" format --check . && "$OLDPWD/$TOOLS/bin/ruff" check .)
    $TOOLS/bin/ruff format --check --isolated --line-length 100 $templates
    $TOOLS/bin/ruff check --isolated --line-length 100 --select B,E,F,UP,W $templates
    MYPYPATH=$bindings:$SDK/src:$SDK/examples/count/src $TOOLS/bin/mypy \
        --config-file $SDK/pyproject.toml --cache-dir target/mypy --python-version 3.11 \
        $SDK/src/tidegate $SDK/tests $SDK/examples/count/src $SDK/examples/count/tests
    unit_tests $SDK/src $SDK/tests
    unit_tests $SDK/src:$SDK/examples/count/src $SDK/examples/count/tests
    local source template
    for source in "$templates"/*/src; do
        template=$(dirname "$source")
        MYPYPATH=$SDK/src:$source $TOOLS/bin/mypy --strict --cache-dir target/mypy \
            --python-version 3.11 "$source" "$template/tests"
        unit_tests "$SDK/src:$source" "$template/tests"
    done
}

case "${1-}" in
install) install ;;
test) check ;;
*)
    echo "usage: $0 install|test" >&2
    exit 2
    ;;
esac
