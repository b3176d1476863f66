# Makes sure that programs are there: on Debian as root it installs what is missing, elsewhere it
# says what to install. Sourced by the scripts that set a machine up. They need no network when
# everything is there.

wanted=()

# need PROGRAM PACKAGE...: the packages are wanted unless the program is in the PATH.
need() {
    command -v "$1" >/dev/null || wanted+=("${@:2}")
}

# need_package PACKAGE...: for libraries and the like, by the names that Debian has for them.
need_package() {
    local package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            wanted+=("$package")
        fi
    done
}

# install_packages PACKAGE...: installs them, or fails where it can't.
install_packages() {
    [ -e /etc/debian_version ] && [ "$(id -u)" -eq 0 ] || return 1
    apt-get update && apt-get install -y --no-install-recommends "$@"
}

# install_wanted WHO [ADVICE]: installs what is wanted, or ends the script with the advice.
install_wanted() {
    [ ${#wanted[@]} -gt 0 ] || return 0
    install_packages "${wanted[@]}" ||
        give_up "$1" "${2:-install what Debian has as ${wanted[*]}}"
}

# give_up WHO ADVICE
give_up() {
    echo "$1: $2" >&2
    exit 1
}
