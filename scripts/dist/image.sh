#!/usr/bin/env bash
# image.sh [DIST]: builds a container image from the archive in target/dist, and runs a job in it
# that needs no component. Other options of the engine, in words, are in IMAGE_BUILD and IMAGE_RUN.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/lib/packages.sh

dist=${1:-target/dist}
engine=$(command -v docker || command -v podman) || give_up image "install docker or podman"
archives=("$dist"/tidegate-*.tar.gz)
[ -f "${archives[0]}" ] || give_up image "$dist has no archive; make it: make dist"
archive=$(basename "${archives[0]}")
version=$(sed -E 's/^tidegate-(.*)-(x86_64|aarch64)-.*$/\1/' <<<"$archive")
image=tidegate:$version

read -ra build_options <<<"${IMAGE_BUILD-}"
read -ra run_options <<<"${IMAGE_RUN-}"
"$engine" build "${build_options[@]}" --file ops/container/Containerfile \
    --build-arg "ARCHIVE=$archive" --tag "$image" "$dist"

job=$(mktemp)
trap 'rm -f "$job"' EXIT
chmod 644 "$job"
cat >"$job" <<'END'
version = 1
name = "in-a-container"

[checkpoint]
directory = "state"

[source.integers]
connector = "generator"
to = 1000

[sink.lines]
connector = "stdout"
inputs = [{ from = "integers" }]
format = "tsv"
END
lines=$("$engine" run --rm "${run_options[@]}" --volume "$job":/job/job.toml:ro \
    "$image" run job.toml | wc -l)
[ "$lines" -eq 1000 ] || give_up image "the job in the container wrote $lines lines, not 1000"
echo "image: $image runs a job"
