# Installs missing programs on Debian as root, and elsewhere reports the packages to install.
# Sourced by the scripts that set a machine up. They need no network if nothing is missing.

wanted=()

# need PROGRAM PACKAGE...: the packages are wanted unless the program is in the PATH.
need() {
    command -v "$1" >/dev/null || wanted+=("${@:2}")
}

# need_package PACKAGE...: for libraries and the like, by their names in Debian.
need_package() {
    local package
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            wanted+=("$package")
        fi
    done
}

# install_packages PACKAGE...: installs the packages, or fails where it can't.
install_packages() {
    [ -e /etc/debian_version ] && [ "$(id -u)" -eq 0 ] || return 1
    apt-get update && apt-get install -y --no-install-recommends "$@"
}

# install_wanted WHO [ADVICE]: installs the wanted packages, or ends the script with the advice.
install_wanted() {
    [ ${#wanted[@]} -gt 0 ] || return 0
    install_packages "${wanted[@]}" ||
        give_up "$1" "${2:-install the packages that Debian names ${wanted[*]}}"
}

# give_up WHO ADVICE
give_up() {
    echo "$1: $2" >&2
    exit 1
}
