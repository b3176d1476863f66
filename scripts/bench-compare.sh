#!/usr/bin/env bash
# Measures this working tree beside an older commit: parity-sum, keyed-sum and word-count, the two
# binaries in turn, and prints the ratios of the medians.
#
#   scripts/bench-compare.sh BASE [ROUNDS]    a commit; 3 rounds by default
#
# The older binary is built in a worktree under target/; the benchmark tool, its jobs and the
# components are those of this working tree, so both binaries run the same jobs.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ $# -lt 1 ] || [ $# -gt 2 ] || [ -z "$1" ]; then
    sed -n '5s/^# *//p' "$0" >&2
    exit 2
fi
rounds=${2:-3}
base=$(git rev-parse --verify --short=10 "$1^{commit}")
cargo=${CARGO:-cargo}
place=$PWD/target/bench-compare
source=$place/source
jobs=(parity-sum keyed-sum word-count)

build_base() {
    mkdir -p "$place"
    [ -x "$place/tidegate-$base" ] && return
    if [ -e "$source" ]; then git worktree remove --force "$source"; fi
    git worktree prune
    git worktree add --detach "$source" "$base"
    # Begun as a copy of the ordinary target directory, so that dependencies are not compiled again.
    if [ ! -d "$place/build" ] && [ -d target/release/deps ]; then
        mkdir -p "$place/build/release"
        cp -a target/release/{build,deps,.fingerprint} "$place/build/release/"
    fi
    (cd "$source" && CARGO_TARGET_DIR=$place/build "$cargo" build --release -p tidegate --locked)
    cp "$place/build/release/tidegate" "$place/tidegate-$base"
    git worktree remove --force "$source"
}

measure() {
    target/release/tidegate-bench --binary "$1" --part jobs "${jobs[@]/#/--job=}" --runs 1 \
        --parallelism 2 --json
}

measure_base() { measure "$place/tidegate-$base" >"$place/base-$1.json"; }
measure_head() { measure target/release/tidegate >"$place/head-$1.json"; }

build_base
for round in $(seq "$rounds"); do
    echo "bench-compare: round $round of $rounds" >&2
    # Each of them is first in half of the rounds.
    if [ $((round % 2)) -eq 1 ]; then
        measure_base "$round"
        measure_head "$round"
    else
        measure_head "$round"
        measure_base "$round"
    fi
done
reports() { seq -f "$place/$1-%.0f.json" "$rounds"; }
mapfile -t of_base < <(reports base)
mapfile -t of_head < <(reports head)
target/release/tidegate-bench compare --base "${of_base[@]}" --head "${of_head[@]}"
