#!/usr/bin/env bash
# first-hour.sh [DIST] [LANGUAGE...]: from a package of DIST, by default target/dist, to the first
# result of an own job, as a new user would: as a user other than root where the caller is root,
# with an empty home, and in a file system without this checkout, /root and /usr/local. Tools come
# from the package indices, by `tidegate doctor --fix`. Fails if the result is wrong or takes more
# than 6 commands; prints the seconds. The languages are python, javascript and rust.
# shellcheck disable=SC2016 # The shell of the user expands what is in single quotes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/user.sh

most_commands=6
# Waits for a result no longer than this, and passes no judgement on less.
patience=900

dist=$(realpath "${1:-target/dist}")
languages=("${@:2}")
[ ${#languages[@]} -gt 0 ] || languages=(python javascript rust)

if [ -z "${FIRST_HOUR_WORK-}" ]; then
    need setpriv util-linux
    need unshare util-linux
    /usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null || need_package python3-venv
    install_wanted "first hour"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    chmod 755 "$work"
    mkdir "$work/dist" "$work/scripts"
    cp "$dist"/tidegate* "$dist"/SHA256SUMS scripts/install.sh "$work/dist/"
    cp -r scripts/dist scripts/lib "$work/scripts/"
    export FIRST_HOUR_WORK=$work FIRST_HOUR_CHECKOUT=$PWD
    again=("$work/scripts/dist/first-hour.sh" "$work/dist" "${languages[@]}")
    # In a namespace where nothing of this checkout and of its tools can be found by chance.
    if [ "$(id -u)" -eq 0 ] && unshare --mount true 2>/dev/null; then
        unshare --mount "${again[@]}"
    else
        echo "first hour: without a namespace of its own" >&2
        FIRST_HOUR_CHECKOUT='' "${again[@]}"
    fi
    exit
fi

work=$FIRST_HOUR_WORK

# hide FOLDER: shows an empty folder in its place.
hide() {
    [ ! -d "$1" ] || mount -t tmpfs -o mode=755 none "$1"
}

# The programs and certificates that a user of this machine would have.
node=$(command -v node || true)
certificates=/etc/ssl/certs/ca-certificates.crt
if [ -n "$FIRST_HOUR_CHECKOUT" ]; then
    case $node in
    /usr/bin/* | '') ;;
    *) node='' ;;
    esac
    for folder in "$FIRST_HOUR_CHECKOUT" /root /usr/local; do
        hide "$folder"
    done
fi
for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY PIP_INDEX_URL \
    PIP_CERT PIP_DEFAULT_TIMEOUT NPM_CONFIG_REGISTRY; do
    [ -z "${!variable-}" ] || settings+=("$variable=${!variable}")
done
if [ -f $certificates ]; then
    settings+=("NODE_EXTRA_CA_CERTS=$certificates" "SSL_CERT_FILE=$certificates")
fi

# begin NAME: a new user with the packages.
begin() {
    test="first hour, $1" home=$work/$1 commands=0 started=$(date +%s)
    mkdir "$home"
    cp "$work"/dist/* "$home/"
    own "$home"
}

# types COMMAND: a command of the user.
types() {
    commands=$((commands + 1))
    echo "\$ $1"
    as_user sh -euc "$1" >"$work/log" 2>&1 || fail "\`$1\` says: $(cat "$work/log")"
}

# sees_results COMMAND: a command that runs the job until the user stops it. Its results are the
# first ones of the user.
sees_results() {
    local expected result=$home/result waited=0 pid
    expected=$(printf 'apples\t3\npears\t5\napples\t7')
    commands=$((commands + 1))
    echo "\$ $1"
    # The shell that waits for the user's command has another process id.
    as_user sh -euc "echo \$\$ >pid; exec $1" >"$result" 2>"$work/log" &
    pid=$!
    until [ "$(wc -l <"$result")" -ge 3 ]; do
        kill -0 "$pid" 2>/dev/null || fail "\`$1\` says: $(cat "$work/log")"
        [ "$waited" -lt "$patience" ] || fail "\`$1\` has no result"
        waited=$((waited + 1))
        sleep 1
    done
    local seconds=$(($(date +%s) - started))
    kill -TERM "$(cat "$home/pid")"
    wait "$pid" || fail "\`$1\` ends with an error: $(cat "$work/log")"
    expect "the result" "$expected" "$(cat "$result")"
    [ "$commands" -le "$most_commands" ] || fail "it takes $commands commands"
    echo "$test: $commands commands and $seconds s to the first result"
}

in_python() {
    begin python
    search_path=$home/venv/bin:/usr/bin:/bin
    types 'python3 -m venv venv'
    types 'pip install --quiet --no-index ./tidegate-*.whl'
    types 'tidegate new hello --lang python'
    types 'tidegate doctor python --fix'
    types 'tidegate test hello'
    sees_results 'tidegate run hello/job.toml'
}

in_javascript() {
    begin javascript
    search_path=$home/npm/bin:$(dirname "$node"):/usr/bin:/bin
    types 'npm install --silent --global --prefix "$HOME/npm" ./tidegate-cli-*.tgz'
    types 'tidegate new hello --lang javascript'
    types 'tidegate doctor javascript --fix'
    types 'tidegate test hello'
    sees_results 'tidegate run hello/job.toml'
}

in_rust() {
    begin rust
    search_path=$home/.local/bin:/usr/bin:/bin
    types 'sh install.sh tidegate-*.tar.gz'
    types 'tidegate new hello --lang rust'
    types 'tidegate doctor rust'
    types 'tidegate test hello'
    sees_results 'tidegate run hello/job.toml'
}

# The compilers of a language are there, or its test is left out, with the reason.
for language in "${languages[@]}"; do
    case $language in
    python) in_python ;;
    javascript)
        if [ -n "$node" ]; then in_javascript; else echo "first hour: no node in /usr/bin"; fi
        ;;
    rust)
        if [ -x /usr/bin/cargo ]; then in_rust; else echo "first hour: no cargo in /usr/bin"; fi
        ;;
    *)
        echo "usage: $0 [DIST] [python|javascript|rust...]" >&2
        exit 2
        ;;
    esac
done
