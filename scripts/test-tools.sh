#!/usr/bin/env bash
# Makes sure that the tests can make disks fail (strace, and mount namespaces of util-linux), and
# that the sessions of the documents run (curl). On Debian as root it installs them; elsewhere it
# says what to install. Does nothing, and needs no network, when they are there.
set -euo pipefail

missing=()
command -v strace >/dev/null || missing+=(strace)
command -v unshare >/dev/null && command -v nsenter >/dev/null || missing+=(util-linux)
command -v mount >/dev/null || missing+=(mount)
command -v curl >/dev/null || missing+=(curl)
if [ ${#missing[@]} -eq 0 ]; then
    echo "test tools: $(strace --version | head -n 1)"
    exit 0
fi

if [ -e /etc/debian_version ] && [ "$(id -u)" -eq 0 ]; then
    apt-get update
    apt-get install -y --no-install-recommends "${missing[@]}"
else
    echo "test tools: install ${missing[*]}" >&2
    exit 1
fi
