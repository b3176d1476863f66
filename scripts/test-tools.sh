#!/usr/bin/env bash
# Installs the tools with which the tests make disks fail and record the files that the host opens
# (strace, and mount namespaces of util-linux), and run the sessions of the documents (curl).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need strace strace
need unshare util-linux
need nsenter util-linux
need mount mount
need curl curl
install_wanted "test tools"
echo "test tools: $(strace --version | head -n 1)"
