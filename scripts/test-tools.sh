#!/usr/bin/env bash
# Makes sure that the tests can make disks fail: strace, and mount namespaces (util-linux).
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib/packages.sh

need strace strace
need unshare util-linux
need nsenter util-linux
need mount mount
install_wanted "test tools"
echo "test tools: $(strace --version | head -n 1)"
