#!/usr/bin/env bash
# Word count over real text: killed with SIGKILL while it runs, run again with the same command, and
# compared with a count by coreutils and awk. `make demo` builds the binary and the operators first.
set -euo pipefail
cd "$(dirname "$0")/.."

demo=$PWD/demo
megabytes=${DEMO_MEGABYTES:-64}
. scripts/lib/demo.sh

# The licences that Debian ships, or the project's own, repeated. Two files, so that both subtasks
# of the source have one.
make_text() {
    local licences=(/usr/share/common-licenses/{GPL-3,LGPL-3,Apache-2.0,MPL-2.0,Artistic,GFDL-1.3})
    mkdir -p "$demo/input"
    (cat "${licences[@]}" 2>/dev/null || cat LICENSE) >"$demo/licences"
    while [ "$(stat -c %s "$demo/licences")" -lt $((megabytes * 500000)) ]; do
        cat "$demo/licences" "$demo/licences" >"$demo/doubled"
        mv "$demo/doubled" "$demo/licences"
    done
    head -c $((megabytes * 500000)) "$demo/licences" >"$demo/input/a.txt"
    tail -c $((megabytes * 500000)) "$demo/licences" >"$demo/input/b.txt"
    # A word that is cut at the end of one file must not run into the other.
    echo >>"$demo/input/a.txt"
    rm "$demo/licences"
}

make_job() {
    sed -e "s|component = \"|component = \"../examples/word-count/|" \
        -e 's|interval = "1s"|interval = "200ms"|' \
        examples/word-count/job.toml >"$demo/job.toml"
}

rm -rf "$demo"
mkdir -p "$demo"
say "1. The text: $megabytes MB"
make_text
make_job
ls -l "$demo/input"

say "2. An independent count: tr, sort, uniq"
tr -s ' \t\n\r\f' '\n' <"$demo/input/a.txt" | cat - <(tr -s ' \t\n\r\f' '\n' <"$demo/input/b.txt") |
    grep -v '^$' | LC_ALL=C sort -S 1G | uniq -c |
    awk '{ print $2 "\t" $1 }' | LC_ALL=C sort >"$demo/expected"
words=$(awk -F'\t' '{ n += $2 } END { print n }' "$demo/expected")
echo "$words words, $(wc -l <"$demo/expected") of them distinct"

say "3. tidegate run demo/job.toml, and SIGKILL while it runs"
run_and_kill

say "4. The same command again"
run_again

say "5. The output compared with the count of step 2"
compare
say "Word count"
report
