# A user other than root, with an empty home and an empty environment, for the tests of packages.
# Sourced, with `test` the name of the running test and `home` the user's home.

user=65534

# as_user COMMAND...: runs it in an empty environment, in the user's home. `search_path` is the
# user's PATH; `settings` are more variables, each NAME=VALUE.
as_user() {
    local change=()
    if [ "$(id -u)" -eq 0 ]; then
        change=(setpriv "--reuid=$user" "--regid=$user" --clear-groups)
    fi
    (cd "$home" && exec "${change[@]}" env -i HOME="$home" PATH="${search_path:-/usr/bin:/bin}" \
        LC_ALL=C.UTF-8 TMPDIR="$home" "${settings[@]}" "$@")
}

# own PATH: gives files to the user.
own() {
    [ "$(id -u)" -ne 0 ] || chown -R "$user:$user" "$1"
}

fail() {
    echo "test of packages: $test: $1" >&2
    exit 1
}

# expect WHAT EXPECTED ACTUAL
expect() {
    [ "$2" = "$3" ] || fail "$1 is \`$3\`, not \`$2\`"
}

settings=()
