#!/bin/sh
# Installs tidegate with its completions and man pages, below ~/.local or another prefix. Needs no
# root, and changes no file outside the prefix.
set -eu

from_source="or build from source: cargo install --locked --path host/cli"

usage() {
    cat <<'END'
Usage: install.sh [--prefix DIR] ARCHIVE
       install.sh [--prefix DIR] --from URL --version VERSION

ARCHIVE is a file tidegate-VERSION-PLATFORM.tar.gz with SHA256SUMS beside it. With --from, the
script downloads both from below URL, for the platform of this machine.

  --prefix DIR       Folder for bin/ and share/. Default: ~/.local
  --from URL         Folder of the archives on a server
  --version VERSION  Version to download, such as 0.1.0
  --help             Print this text
END
}

fail() {
    echo "install.sh: $1" >&2
    exit "${2:-1}"
}

wrong_usage() {
    echo "install.sh: $1" >&2
    usage >&2
    exit 2
}

# The platform's name in the names of the archives.
platform() {
    case $(uname -m) in
    x86_64 | amd64) processor=x86_64 ;;
    aarch64 | arm64) processor=aarch64 ;;
    *) fail "there is no archive for $(uname -m); $from_source" ;;
    esac
    [ "$(uname -s)" = Linux ] || fail "tidegate runs on Linux only, and not on $(uname -s)"
    echo "$processor-unknown-linux-gnu"
}

download() { # URL FILE
    if command -v curl >/dev/null; then
        curl --fail --silent --show-error --location --output "$2" "$1" || fail "can't download $1"
    elif command -v wget >/dev/null; then
        wget -q -O "$2" "$1" || fail "can't download $1"
    else
        fail "install curl or wget, or download $1 and pass the file"
    fi
}

# Fails unless SHA256SUMS, beside the archive, lists the archive with its checksum.
verify() { # ARCHIVE
    sums=$(dirname "$1")/SHA256SUMS
    [ -f "$sums" ] || fail "$sums is missing; download it beside the archive"
    name=$(basename "$1")
    expected=$(awk -v name="$name" '$2 == name || $2 == "*" name { print $1 }' "$sums")
    [ -n "$expected" ] || fail "$sums does not list $name"
    actual=$(sha256sum <"$1") || fail "install sha256sum, which verifies the archive"
    [ "${actual%% *}" = "$expected" ] ||
        fail "$1 is damaged: its SHA-256 is ${actual%% *}, not $expected"
}

# Installs the files of an unpacked archive. The binary comes last, in one step.
put_in_place() { # FOLDER
    mkdir -p "$prefix/bin" "$prefix/share" || fail "can't write to $prefix; use --prefix DIR"
    cp -R "$1/share/." "$prefix/share/" || fail "can't write to $prefix/share; use --prefix DIR"
    cp "$1/bin/tidegate" "$prefix/bin/.tidegate.$$" ||
        fail "can't write to $prefix/bin; use --prefix DIR"
    mv -f "$prefix/bin/.tidegate.$$" "$prefix/bin/tidegate"
}

say_path() {
    case ":$PATH:" in
    *":$prefix/bin:"*) ;;
    *)
        echo "$prefix/bin is not on your PATH. Add this line to the profile of your shell:"
        # shellcheck disable=SC2016 # The profile expands it.
        printf '    export PATH="%s:$PATH"\n' "$prefix/bin"
        ;;
    esac
}

prefix=
from=
version=
archive=
while [ $# -gt 0 ]; do
    case $1 in
    --prefix | --from | --version)
        [ $# -ge 2 ] || wrong_usage "$1 needs a value"
        case $1 in
        --prefix) prefix=$2 ;;
        --from) from=${2%/} ;;
        --version) version=$2 ;;
        esac
        shift
        ;;
    --help | -h)
        usage
        exit 0
        ;;
    -*) wrong_usage "there is no option $1" ;;
    *)
        [ -z "$archive" ] || wrong_usage "one archive at a time"
        archive=$1
        ;;
    esac
    shift
done
if [ -n "$archive" ]; then
    [ -z "$from$version" ] || wrong_usage "ARCHIVE excludes --from and --version"
    [ -f "$archive" ] || fail "there is no file $archive"
elif [ -z "$from" ] || [ -z "$version" ]; then
    wrong_usage "name an archive, or --from and --version"
fi
if [ -z "$prefix" ]; then
    [ -n "${HOME-}" ] || fail "HOME is not set; use --prefix DIR"
    prefix=$HOME/.local
fi
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -n "$from" ]; then
    name=tidegate-$version-$(platform).tar.gz
    archive=$work/$name
    download "$from/SHA256SUMS" "$work/SHA256SUMS"
    download "$from/$name" "$archive"
fi
verify "$archive"
mkdir "$work/unpacked"
tar -C "$work/unpacked" -xzf "$archive" || fail "can't unpack $archive"
set -- "$work/unpacked"/*
if [ $# -ne 1 ] || [ ! -f "$1/bin/tidegate" ]; then
    fail "$archive is not an archive of tidegate"
fi
installed=$("$1/bin/tidegate" --version) ||
    fail "the binary does not run here, choose the archive for $(platform); $from_source"
put_in_place "$1"
echo "$installed is installed in $prefix/bin"
say_path
