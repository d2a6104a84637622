#!/bin/sh
# The long form of all that looks for what must not happen, for a night: CI runs the short form of each.
#
#     tests        every test with TULLE_LONG=1, in every build that scripts/test.sh makes
#     lowered      every test with the kernels lowered to AVX2, and to plain C
#     floats       exp, log and their kin of every float
#     kills        scripts/kill_torture.py: training is killed, and goes on
#     determinism  scripts/determinism.sh: the same bits from all compilers, instruction sets and threads
#     fuzz         scripts/fuzz.sh: files and options that nobody would write, an hour for each target
#     coverage     scripts/coverage.sh: what no test reaches
#     mutants      scripts/mutate.py: errors that no test finds
#     analysis     scripts/analyze.sh: what cppcheck, gcc and clang-tidy find in the sources
#
# Every step runs, whatever becomes of the others. Ends in a table with the last line of each, where its
# counts are; status 1 if any failed. What they print is in build/torture.
#
# usage: torture.sh [STEP...]     only these
set -u
cd "$(dirname "$0")/.." || exit 1
folder=build/torture
mkdir -p $folder

release() {
    sh scripts/deps.sh test && { [ -f build/CMakeCache.txt ] || cmake --preset release; } &&
        cmake -DTULLE_BUILD_TESTS=ON build && cmake --build build -j 2
}

run_step() {
    case $1 in
    tests) TULLE_LONG=1 sh scripts/test.sh ;;
    lowered)
        release && (cd build && for table in avx2 generic; do
            TULLE_KERNELS=$table ctest --output-on-failure -j 2 -R '^test_' || exit 1
        done) && echo "every test passes with the kernels of AVX2, and with those of plain C"
        ;;
    floats) release && TULLE_LONG_TESTS=1 build/tests/test_elementary ;;
    kills) release && python3 scripts/kill_torture.py build/tulle --kills 25 ;;
    determinism) sh scripts/determinism.sh ;;
    fuzz) sh scripts/fuzz.sh 3600 ;;
    coverage) sh scripts/coverage.sh ;;
    mutants) python3 scripts/mutate.py ;;
    analysis) sh scripts/analyze.sh ;;
    *)
        echo "torture.sh: there is no step '$1'"
        return 2
        ;;
    esac
}

failed=0
: >$folder/summary
[ $# -gt 0 ] || set -- tests lowered floats kills determinism fuzz coverage mutants analysis
for step in "$@"; do
    echo "--- $step"
    begin=$(date +%s)
    { run_step "$step" && echo ok >$folder/status || echo FAILED >$folder/status; } 2>&1 | tee "$folder/$step.log"
    result=$(cat $folder/status)
    [ "$result" = ok ] || failed=$((failed + 1))
    printf '%-12s %-6s %6d s  %s\n' "$step" "$result" $(($(date +%s) - begin)) \
        "$(grep -v '^ *$' "$folder/$step.log" | tail -n 1)" >>$folder/summary
done
echo
cat $folder/summary
echo "$failed of $(wc -l <$folder/summary | tr -d ' ') steps failed"
[ $failed = 0 ]
