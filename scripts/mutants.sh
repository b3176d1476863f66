#!/usr/bin/env bash
# The test of the test: applies each patch of tests/mutants to a copy of the sources and runs the
# simulation on the copy, which must fail. Arguments select patches by name.
set -euo pipefail
cd "$(dirname "$0")/.."

patches=$PWD/tests/mutants
copy=$PWD/target/mutants/source
log=$PWD/target/mutants/log
# A directory of their own: cargo takes the crates of the copy for those of the project. Begun as a
# copy of the ordinary one, so that dependencies are not compiled again.
target=$PWD/target/mutants/target
export CARGO_TARGET_DIR=$target

fail() {
    printf 'mutants: %s\n' "$*" >&2
    exit 1
}

# The sources as they are now, with the times of what did not change, so that little is compiled.
make_copy() {
    mkdir -p "$copy"
    git ls-files -z --cached --others --exclude-standard |
        while IFS= read -r -d '' file; do
            [ -e "$file" ] || continue
            cmp -s "$file" "$copy/$file" && continue
            mkdir -p "$(dirname "$copy/$file")"
            cp "$file" "$copy/$file"
        done
}

make_target() {
    [ -d "$target" ] && return
    [ -d target/debug/deps ] || cargo test --workspace --locked --no-run
    mkdir -p "$target/debug"
    cp -a target/debug/{build,deps,.fingerprint} "$target/debug/"
}

build() {
    (cd "$copy" && cargo test --workspace --locked --no-run --test simulation) >"$log" 2>&1
}

# Prints the first violation that the suite found, or nothing.
simulate() {
    (cd "$copy" && cargo test --workspace --locked --test simulation -- --nocapture schedules) \
        >"$log" 2>&1 && return
    grep -q '^test result: FAILED' "$log" || fail "the suite ended without a result; see $log"
    sed -n 's/^seed [0-9]*: \(life [0-9]*: \)\?//p' "$log" | head -n 1
}

selected() {
    if [ $# -eq 0 ]; then
        ls "$patches"/*.patch
    else
        for name in "$@"; do echo "$patches/$name.patch"; done
    fi
}

make_target
make_copy
build || fail "the sources do not compile; see $log"
start=$SECONDS
violation=$(simulate)
[ -z "$violation" ] || fail "without a mutant, the suite finds: $violation"
printf '%-36s %5s  %s\n' mutant seconds 'caught by the simulation as'
printf '%-36s %5s  %s\n' '(none)' $((SECONDS - start)) '(passes)'

mutate() {
    (cd "$copy" && patch --quiet --strip 1 --no-backup-if-mismatch --fuzz 0 "$@")
}

survivors=0
for patch in $(selected "$@"); do
    name=$(basename "$patch" .patch)
    mutate <"$patch" || fail "$name no longer applies"
    build || fail "$name does not compile; see $log"
    start=$SECONDS
    violation=$(simulate)
    if [ -z "$violation" ]; then
        survivors=$((survivors + 1))
        violation='NOT CAUGHT'
    fi
    printf '%-36s %5s  %s\n' "$name" $((SECONDS - start)) "$(cut -c 1-100 <<<"$violation")"
    mutate --reverse <"$patch"
done
[ "$survivors" -eq 0 ] || fail "the suite did not catch $survivors mutant(s)"
