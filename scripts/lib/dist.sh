# Functions and names of the scripts in scripts/dist. Sourced after scripts/lib/packages.sh.

# The oldest C library that release binaries run on: that of Debian 10 and RHEL 8.
oldest_glibc=2.28

# python_tools FOLDER REQUIREMENT...: installs programs that PyPI has, of pinned versions, into
# target/tools/FOLDER. Does nothing, and needs no network, when they are there.
python_tools() {
    local tools=target/tools/$1
    shift
    if [ "$(cat "$tools/installed.txt" 2>/dev/null)" = "$*" ]; then
        return
    fi
    has_venv || install_packages python3 python3-venv || true
    has_venv || give_up dist "install Python 3.9 or newer with venv"
    rm -rf "$tools"
    mkdir -p "$(dirname "$tools")"
    python3 -m venv "$tools"
    "$tools/bin/pip" install --quiet --disable-pip-version-check "$@"
    echo "$*" >"$tools/installed.txt"
}

has_venv() {
    python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 9))' 2>/dev/null
}

# host_platform: Rust's name of this machine, such as x86_64-unknown-linux-gnu.
host_platform() {
    rustc -vV | sed -n 's/^host: //p'
}

# needed_glibc BINARY: the newest version of the C library whose symbols the binary uses.
needed_glibc() {
    objdump -T "$1" | grep -oE 'GLIBC_[0-9.]+' | sed 's/GLIBC_//' | sort -uV | tail -n 1
}

# newest VERSION...: the newest of the versions.
newest() {
    printf '%s\n' "$@" | sort -V | tail -n 1
}

# describe TREE PLATFORM DIST: sets the variables of a script that makes one package. TREE holds the
# installed files, as below /usr; PLATFORM is Rust's name; DIST receives the package.
describe() {
    umask 022
    tree=$1 platform=$2 dist=$3
    version=$("$tree/bin/tidegate" --version | awk '{ print $2 }')
    processor=${platform%%-*}
    work=$dist/work
    rm -rf "$work"
    mkdir -p "$work"
}

# gnu_libc TREE: the version of the C library that packages ask for.
gnu_libc() {
    newest "$oldest_glibc" "$(needed_glibc "$1/bin/tidegate")"
}

# tar_gz FILE FOLDER NAME: packs FOLDER/NAME, to the same bytes each time.
tar_gz() {
    tar -C "$2" --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
        -cf - "$3" | gzip -9n >"$1"
}

# The description of the project in each package.
summary='Stream processing with sandboxed operators and exactly-once state'
homepage=$(sed -n 's/^repository = "\(.*\)"$/\1/p' Cargo.toml)
