#!/usr/bin/env bash
# Runs fuzz targets, one after the other. New inputs are kept in tests/fuzz/corpus.
#   --minutes N     for each target, 10 by default
#   --target NAME   only this one
#   --seed N        instead of one that differs from run to run
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=10
target=
while [ $# -gt 0 ]; do
    case "$1" in
    --minutes) minutes=$2 ;;
    --target) target=$2 ;;
    --seed) export TIDEGATE_TEST_SEED=$2 ;;
    *)
        echo "fuzz: unknown option $1; expected --minutes, --target or --seed" >&2
        exit 2
        ;;
    esac
    shift 2
done

export TIDEGATE_FUZZ_MINUTES=$minutes
exec "${CARGO:-cargo}" test --workspace --locked --lib --bins --tests -- \
    "fuzz_${target//-/_}" --test-threads=1
