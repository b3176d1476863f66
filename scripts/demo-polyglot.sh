#!/usr/bin/env bash
# The job of examples/polyglot over real text: killed with SIGKILL while it runs, run again with the
# same command, and compared with a count by one awk program. `make demo-polyglot` installs the
# compilers, builds the five operators and runs the script.
set -euo pipefail
cd "$(dirname "$0")/.."

demo=$PWD/demo-polyglot
megabytes=${DEMO_MEGABYTES:-8}
. scripts/lib/demo.sh

# The licences that Debian ships, a file for each, or those of the example; repeated, as lines of
# JSON. One line of one file is broken.
make_text() {
    mkdir -p "$demo/input"
    python3 - "$demo" "$megabytes" <<'PYTHON'
import json
import sys
from pathlib import Path

demo, size = Path(sys.argv[1]), int(sys.argv[2]) * 1_000_000
names = ("GPL-3", "LGPL-3", "MPL-2.0", "Apache-2.0", "Artistic", "BSD")
licences = [Path("/usr/share/common-licenses") / name for name in names]
texts = {path.name: path.read_text().split("\n") for path in licences if path.exists()}
if not texts:
    for path in sorted(Path("examples/polyglot/input").glob("*.jsonl")):
        lines = [line for line in path.read_text().split("\n") if line.endswith("}")]
        texts[path.stem] = [json.loads(line)["text"] for line in lines]
with open(demo / "plain", "w") as plain:
    for name, lines in texts.items():
        lines = [line.strip() for line in lines if line.strip()]
        repeats = size // len(texts) // sum(len(line) + 1 for line in lines) + 1
        with open(demo / "input" / f"{name}.jsonl", "w") as out:
            for number, text in enumerate(lines * repeats):
                out.write(json.dumps({"document": name, "line": number, "text": text}) + "\n")
                plain.write(f"{name}\t{text}\n")
            if name == "BSD":
                out.write('{"document": "BSD", "line":\n')
PYTHON
}

# The whole job in one awk program: the order of its words within a document is that of the files.
count_with_awk() {
    LC_ALL=C awk -F'\t' '
        BEGIN {
            family["GPL-3"] = family["LGPL-3"] = family["MPL-2.0"] = "copyleft"
            family["Apache-2.0"] = family["Artistic"] = family["BSD"] = "permissive"
            count = split("the and that for any you this not such with", stop_words, " ")
            for (i = 1; i <= count; i++) stop[stop_words[i]] = 1
        }
        {
            count = split(tolower($2), words, /[^a-z]+/)
            for (i = 1; i <= count; i++) {
                word = words[i]
                if (word == "" || ++place[$1] <= 10 || length(word) < 3 || word in stop) continue
                key = family[$1] ":" word
                if (++seen[key] >= 2) counted[key]++
            }
        }
        END { for (key in counted) print key "\t" counted[key] }' "$demo/plain" |
        LC_ALL=C sort >"$demo/expected"
}

make_job() {
    sed -e 's|component = "../word-count|component = "../examples/word-count|' \
        -e 's|component = "operators|component = "../examples/polyglot/operators|' \
        -e 's|interval = "1s"|interval = "200ms"|' \
        examples/polyglot/job.toml >"$demo/job.toml"
}

rm -rf "$demo"
mkdir -p "$demo"
say "1. The text: $megabytes MB"
make_text
make_job
ls -l "$demo/input"

say "2. An independent count: one awk program"
count_with_awk
words=$(awk -F'\t' '{ n += $2 } END { print n }' "$demo/expected")
echo "$words counted words, $(wc -l <"$demo/expected") of them distinct"

say "3. tidegate run demo-polyglot/job.toml, and SIGKILL while it runs"
run_and_kill

say "4. The same command again"
run_again

say "5. The output compared with the count of step 2"
compare
grep -qF '"value":"{\"document\": \"BSD\", \"line\":"}' "$demo"/rejected/part-* ||
    correct="NO: see $demo/rejected"
say "Polyglot: Python, JavaScript, Go, C and Rust"
report
