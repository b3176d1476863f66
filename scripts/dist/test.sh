#!/usr/bin/env bash
# test.sh [DIST]: installs each package of DIST, by default target/dist, as a user would: as a user
# other than root where the caller is root, with an empty HOME, and with no tool of this project on
# the PATH. Each installation then counts words with the job of examples/shell-pipe. The binary of
# the archive builds the operators of the job if they are missing.
# shellcheck disable=SC2016 # The shell of the user expands what is in single quotes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh
. scripts/lib/user.sh

dist=$(realpath "${1:-target/dist}")
operators=examples/word-count/operators

need dpkg-deb dpkg
need npm npm
need setpriv util-linux
# The interpreter of the system: a user finds no other one.
/usr/bin/python3 -c 'import venv, ensurepip' 2>/dev/null || need_package python3-venv
install_wanted "test of packages"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 755 "$work"
passed=0

# begin NAME: a new user, with a copy of the packages and the files of the job.
begin() {
    test=$1 home=$work/${1// /-}
    search_path=
    mkdir -p "$home/job"
    cp "$dist"/* "$home/"
    cp examples/word-count/input/tides.txt "$operators"/{split/split,count/count}.wasm "$home/job/"
    sed 's|\.\./word-count/operators/[a-z]*/||' examples/shell-pipe/job.toml >"$home/job/job.toml"
    own "$home"
}

# works TIDEGATE: the binary has the version of the packages, and runs a job.
works() {
    expect "the version" "tidegate $version" "$(as_user "$1" --version)"
    local counts='tr A-Z a-z <job/tides.txt | "$1" run job/job.toml --fresh --quiet |
        sort -k 2,2nr -k 1,1'
    local counted
    counted=$(as_user sh -c "$counts" sh "$1" 2>"$work/log") || fail "$(cat "$work/log")"
    expect "the count" "$(printf 'the\t8\nand\t4\ntide\t4')" "$(head -n 3 <<<"$counted")"
    passed=$((passed + 1))
    echo "$test: ok"
}

# documented COMMAND [SETUP]: runs a command as docs/install.md shows it, after the setup.
documented() {
    grep -qxF -- "$1" docs/install.md || fail "docs/install.md does not show \`$1\`"
    as_user sh -euc "${2-}
$1" >"$work/log" 2>&1 || fail "\`$1\` says: $(cat "$work/log")"
}

# refuses WORDS COMMAND...: it fails, and its message contains the words.
refuses() {
    local words=$1 code=0
    shift
    as_user "$@" >"$work/log" 2>&1 || code=$?
    [ "$code" -ne 0 ] || fail "\`$*\` succeeds"
    grep -qF -- "$words" "$work/log" || fail "\`$*\` says: $(cat "$work/log")"
}

archives=("$dist"/tidegate-*.tar.gz)
archive=$(basename "${archives[0]}")
version=$(sed -E 's/^tidegate-(.*)-(x86_64|aarch64)-.*$/\1/' <<<"$archive")
if ! [ -f $operators/split/split.wasm ] || ! [ -f $operators/count/count.wasm ]; then
    tar -C "$work" -xzf "$dist/$archive"
    "$work/${archive%.tar.gz}/bin/tidegate" build examples/word-count
fi

begin "checksums"
as_user sha256sum --quiet --check SHA256SUMS || fail "SHA256SUMS is not of these files"
files=("$dist"/*)
expect "the number of checksums" "$((${#files[@]} - 1))" "$(wc -l <"$dist/SHA256SUMS")"

begin "archive unpacked by hand"
documented 'tar -xzf tidegate-*.tar.gz --strip-components=1 -C "$PREFIX"' \
    'PREFIX=$HOME/prefix; mkdir "$PREFIX"'
works "$home/prefix/bin/tidegate"

begin "install script"
documented "sh install.sh tidegate-*.tar.gz"
grep -qF "export PATH=\"$home/.local/bin:\$PATH\"" "$work/log" || fail "it says: $(cat "$work/log")"
works "$home/.local/bin/tidegate"
for file in man/man1/tidegate-run.1 bash-completion/completions/tidegate \
    zsh/site-functions/_tidegate fish/vendor_completions.d/tidegate.fish \
    doc/tidegate/LICENSE doc/tidegate/THIRD-PARTY; do
    [ -s "$home/.local/share/$file" ] || fail "there is no $file"
done
search_path=$home/.local/bin:/usr/bin:/bin
expect "the message with the PATH set" "tidegate $version is installed in $home/.local/bin" \
    "$(as_user sh install.sh "$archive")"

begin "install script with a URL"
if command -v curl >/dev/null; then
    documented 'sh install.sh --from "$URL" --version "$VERSION"' \
        "URL=file://$home VERSION=$version"
    works "$home/.local/bin/tidegate"
    as_user sh install.sh --from "file://$home/" --version "$version" --prefix else/where >/dev/null
    works "$home/else/where/bin/tidegate"
    refuses "can't download" sh install.sh --from "file://$home" --version 0.0.0
fi

begin "install script with bad input"
refuses "there is no file none.tar.gz" sh install.sh none.tar.gz
refuses "name an archive" sh install.sh
refuses "there is no option --root" sh install.sh --root "$archive"
refuses "use --prefix DIR" sh install.sh --prefix /proc "$archive"
as_user sh -c "echo more >>'$archive'"
refuses "is damaged" sh install.sh "$archive"
as_user rm SHA256SUMS
refuses "SHA256SUMS is missing" sh install.sh "$archive"
[ ! -e "$home/.local" ] || fail "it installed something"

begin "wheel"
as_user /usr/bin/python3 -m venv venv
search_path=$home/venv/bin:/usr/bin:/bin
documented "pip install ./tidegate-*.whl" "export PIP_NO_INDEX=1 PIP_QUIET=1"
works "$home/venv/bin/tidegate"
[ -s "$home/venv/share/man/man1/tidegate-run.1" ] || fail "there is no man page"
as_user venv/bin/pip uninstall --quiet --yes tidegate
[ ! -e "$home/venv/bin/tidegate" ] || fail "uninstalled, the binary is still there"

begin "npm package"
search_path=$(dirname "$(command -v npm)"):/usr/bin:/bin
documented "npm install --global ./tidegate-cli-*.tgz" \
    'export npm_config_prefix=$HOME/npm npm_config_offline=true'
works "$home/npm/bin/tidegate"
[ -s "$home/npm/share/man/man1/tidegate-run.1" ] || fail "there is no man page"

begin "npm package in a project"
search_path=$(dirname "$(command -v npm)"):/usr/bin:/bin
as_user sh -c 'npm install --silent --offline --no-audit --no-fund ./tidegate-cli-*.tgz'
works "$home/node_modules/.bin/tidegate"

begin "Debian package"
as_user sh -c 'dpkg-deb --extract tidegate_*.deb root'
works "$home/root/usr/bin/tidegate"
depends=$(as_user sh -c 'dpkg-deb --field tidegate_*.deb Depends')
grep -qE '^libc6 \(>= 2\.[0-9]+\)' <<<"$depends" || fail "it depends on $depends"
contents=$(as_user sh -c 'dpkg-deb --contents tidegate_*.deb')
for file in bin/tidegate share/man/man1/tidegate-run.1.gz share/doc/tidegate/copyright \
    share/bash-completion/completions/tidegate share/zsh/vendor-completions/_tidegate \
    share/fish/vendor_completions.d/tidegate.fish; do
    grep -qE "root/root .* \./usr/$file\$" <<<"$contents" || fail "there is no /usr/$file of root"
done
if command -v lintian >/dev/null; then
    as_user sh -c 'lintian --fail-on error,warning tidegate_*.deb' ||
        fail "lintian finds errors"
fi

echo "packages: $passed passed, 0 failed"
