# The common part of the demos: kills a job over a text while it runs, runs it again with the same
# command, and compares its counts with the counts of another program. Sourced, with `demo` the
# directory of job.toml and `expected` (a line for each word: the word, a tab, its occurrences).
tidegate=$PWD/target/release/tidegate

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

lines_published() { cat "$demo"/output/part-* 2>/dev/null | wc -l; }

# Kills the job once it has completed some checkpoints.
kill_while_running() {
    local pid=$1
    until [ "$("$tidegate" status "$demo/job.toml" --json 2>/dev/null |
        grep -oE '"completed": ?[0-9]+' | grep -oE '[0-9]+' || echo 0)" -ge 3 ]; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.02
    done
    kill -KILL "$pid"
}

# Runs the job, and kills it while it runs. $words updates are expected in all.
run_and_kill() {
    local code=0
    "$tidegate" run "$demo/job.toml" &
    kill_while_running $!
    wait $! || code=$?
    if [ "$code" -ne 137 ]; then
        echo "the job ended by itself (exit code $code) before it was killed;" \
            "try a larger DEMO_MEGABYTES"
        exit 1
    fi
    before=$(lines_published)
    echo "killed after $before of $words updates were published"
    [ "$before" -lt "$words" ]
}

# Runs the job to its end.
run_again() {
    local started
    started=$(date +%s%N)
    "$tidegate" run "$demo/job.toml" 2> >(tee "$demo/log" >&2)
    elapsed_ms=$((($(date +%s%N) - started) / 1000000))
}

# Every update is published, so each word must have as many lines as it has occurrences, and its
# largest count must be that number.
compare() {
    cat "$demo"/output/part-* | LC_ALL=C awk -F'\t' '
        { lines[$1]++; if ($2 + 0 > last[$1]) last[$1] = $2 }
        END { for (word in lines) print word "\t" lines[word] "\t" last[word] }' |
        LC_ALL=C sort >"$demo/counted"
    correct=yes
    diff <(awk -F'\t' '{ print $1 "\t" $2 "\t" $2 }' "$demo/expected" | LC_ALL=C sort) \
        "$demo/counted" >"$demo/differences" || correct="NO: see $demo/differences"
}

report() {
    local newest
    newest=$(find "$demo/state/checkpoints" -type f -printf '%f\n' | sort -n | tail -n 1)
    local rate=$(((words - before) * 1000 / (elapsed_ms > 0 ? elapsed_ms : 1)))
    printf '%-24s %s\n' \
        'words' "$words" \
        'published when killed' "$before" \
        'records/s after restart' "$rate" \
        'checkpoints' "$newest" \
        'restarts' 1 \
        'output correct' "$correct"
    [ "$correct" = yes ]
}
