#!/bin/sh
# Builds the fuzz targets (tests/fuzz/fuzz_TARGET.c; clang's libFuzzer with both sanitizers) and runs each for a
# time, from its corpus in the repository and from what earlier runs have found (build/fuzz/corpus). Prints for
# each how many inputs it has tried, what of the code they reach (cov: edges, ft: features, which count how often
# too) and the findings: inputs that crash, that take over 10 seconds, or more memory than `allocation_mb`. They
# stay in build/fuzz/findings, to be put into the corpus once they are mended.
#
# usage: fuzz.sh [SECONDS] [TARGET...]     60 seconds for each target of all
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
[ $# = 0 ] || shift
sh scripts/deps.sh fuzz
build=build/fuzz
cmake --preset fuzz >/dev/null
cmake --build $build --target fuzzers -j 2 >/dev/null
if [ $# = 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        target=${source#tests/fuzz/fuzz_}
        set -- "$@" "${target%.c}"
    done
fi

# Inputs go through files, which had better be in memory.
[ -w /dev/shm ] && TMPDIR=$(mktemp -d /dev/shm/tulle-fuzz-XXXXXX) || TMPDIR=$(mktemp -d)
export TMPDIR
trap 'rm -rf "$TMPDIR"' EXIT

# What to begin with, and words to use: those that the sources compare with.
mkdir -p $build/seeds $build/words
$build/tests/fuzz/make_seeds $build/seeds
cp tests/data/*.tulle $build/seeds/model/
sed -n 's/^    {"\([a-z0-9-]*\)", .*/"--\1"/p' cli/option_table.c >$build/words/options
grep -oh '"[a-z0-9_]*"' lib/model/*json.c lib/train/training_state.c | sort -u >$build/words/model_sealed
cp $build/words/model_sealed $build/words/checkpoint_sealed

# A packed row may have 1,048,576 cells, whose places take 32 MB at once: that much, and no more.
largest=16384 allocation_mb=33
status=0 total=0 all_found=0
printf '%-18s %12s %8s %8s %8s %9s\n' target executions cov ft corpus findings
for target in "$@"; do
    log=$build/$target.log corpus=$build/corpus/$target findings=$build/findings/$target
    mkdir -p "$corpus" "$findings"
    seeds=
    [ ! -d "$build/seeds/${target%_sealed}" ] || seeds=$build/seeds/${target%_sealed}
    words=
    [ ! -f "$build/words/$target" ] || words=-dict=$build/words/$target
    # shellcheck disable=SC2086 # nothing where there is none
    nice -n 15 $build/tests/fuzz/fuzz_"$target" -max_total_time="$seconds" -max_len=$largest -timeout=10 -report_slow_units=1000 \
        -rss_limit_mb=2048 -malloc_limit_mb=$allocation_mb -close_fd_mask=2 -reload=0 -print_final_stats=1 $words \
        -artifact_prefix="$findings/" "$corpus" tests/fuzz/corpus/"$target" $seeds >"$log" 2>&1 || status=1
    found=$(find "$findings" -type f | wc -l)
    [ "$found" = 0 ] || status=1
    executed=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    total=$((total + ${executed:-0})) all_found=$((all_found + found))
    reached=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$log" | tail -1)
    printf '%-18s %12s %8s %8s %8s %9s\n' "$target" "$executed" \
        "$(echo "$reached" | cut -d' ' -f2)" "$(echo "$reached" | cut -d' ' -f4)" \
        "$(find "$corpus" -type f | wc -l)" "$found"
done
echo "$# targets, $total executions, $all_found findings"
exit $status
