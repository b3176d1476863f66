#!/usr/bin/env bash
# Word count over real text, killed with SIGKILL on the way, run again with the same command, and
# compared with a count that coreutils and awk make. `make demo` builds what it needs and runs it.
set -euo pipefail
cd "$(dirname "$0")/.."

tidegate=$PWD/target/release/tidegate
demo=$PWD/demo
megabytes=${DEMO_MEGABYTES:-64}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

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

lines_published() { cat "$demo"/output/part-* 2>/dev/null | wc -l; }

# Kills the job once it has completed some checkpoints.
kill_on_the_way() {
    local pid=$1
    until [ "$("$tidegate" status "$demo/job.toml" --json 2>/dev/null |
        grep -oE '"completed": ?[0-9]+' | grep -oE '[0-9]+' || echo 0)" -ge 3 ]; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.02
    done
    kill -KILL "$pid"
}

rm -rf "$demo"
mkdir -p "$demo"
say "1. The text: $megabytes MB"
make_text
make_job
ls -l "$demo/input"

say "2. A count that is not ours: tr, sort, uniq"
tr -s ' \t\n\r\f' '\n' <"$demo/input/a.txt" | cat - <(tr -s ' \t\n\r\f' '\n' <"$demo/input/b.txt") |
    grep -v '^$' | LC_ALL=C sort -S 1G | uniq -c |
    awk '{ print $2 "\t" $1 }' | LC_ALL=C sort >"$demo/expected"
words=$(awk -F'\t' '{ n += $2 } END { print n }' "$demo/expected")
echo "$words words, $(wc -l <"$demo/expected") of them different"

say "3. tidegate run demo/job.toml, and SIGKILL on the way"
"$tidegate" run "$demo/job.toml" &
job=$!
kill_on_the_way "$job"
code=0
wait "$job" || code=$?
if [ "$code" -ne 137 ]; then
    echo "the job ended by itself (exit code $code) before it could be killed; try DEMO_MEGABYTES=256"
    exit 1
fi
before=$(lines_published)
echo "killed; $before of $words updates are published"
[ "$before" -lt "$words" ]

say "4. The same command again"
started=$(date +%s%N)
"$tidegate" run "$demo/job.toml" 2> >(tee "$demo/log" >&2)
elapsed_ms=$((($(date +%s%N) - started) / 1000000))

# Every update is published, so each word must have as many lines as it has occurrences, and its
# largest count must be that number.
say "5. The output against the count of step 2"
cat "$demo"/output/part-* | LC_ALL=C awk -F'\t' '
    { lines[$1]++; if ($2 + 0 > last[$1]) last[$1] = $2 }
    END { for (word in lines) print word "\t" lines[word] "\t" last[word] }' |
    LC_ALL=C sort >"$demo/counted"
correct=yes
diff <(awk -F'\t' '{ print $1 "\t" $2 "\t" $2 }' "$demo/expected" | LC_ALL=C sort) \
    "$demo/counted" >"$demo/differences" || correct="NO: see demo/differences"

newest=$(find "$demo/state/checkpoints" -type f -printf '%f\n' | sort -n | tail -n 1)
say "Word count"
printf '%-24s %s\n' \
    'words' "$words" \
    'published when killed' "$before" \
    'records/s after restart' "$(((words - before) * 1000 / (elapsed_ms > 0 ? elapsed_ms : 1)))" \
    'checkpoints' "$newest" \
    'restarts' 1 \
    'output correct' "$correct"
[ "$correct" = yes ]
