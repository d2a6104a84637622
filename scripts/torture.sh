#!/bin/sh
# The long form of all that looks for what must not happen, for a night or two: CI runs the short form of each.
#
#     memory       every allocation fails, alone and with all after it: of each task in every recipe
#     files        every call on files fails, is interrupted, is short; the power goes
#     kills        training is killed, and goes on: so many kills of each of 20 runs [kills=25]
#     hostile      models and checkpoints with every cut and every flipped bit; what they take of memory
#     fuzz         files and options that nobody would write: seconds for each target [fuzz=3600]
#     determinism  the same bits from all compilers, levels, instruction sets and threads
#     properties   random networks, tables and steps: so many times as many as in CI, of other seeds [properties=100]
#     lowered      every test with the kernels lowered to AVX2, and to plain C
#     floats       exp, log and their kin of every float
#     threads      one model on 16 threads, under ThreadSanitizer: so many times [threads=50]
#     sanitized    every test under ThreadSanitizer, and under AddressSanitizer with TULLE_LONG=1
#     coverage     what no test reaches
#     mutants      errors that no test finds: so many of them, drawn by chance [all of them, many hours]
#     formats      models of every version of the format
#     hardening    what compiler and linker have against faults, symbols, calls; static analysis
#     python       the package's tests with TULLE_LONG=1; those of its extension under AddressSanitizer
#
# usage: torture.sh [STEP[=AMOUNT]...]     only these; the steps without an amount take what they take: minutes
#
# Every step runs, whatever becomes of the others. Ends in a table: which point of docs/reliability.md's list
# it is of, the command, the figure that came out, the verdict; status 1 if any failed. All that they print is in
# build/torture, and the table as well.
set -u
cd "$(dirname "$0")/.." || exit 1
folder=build/torture
all="memory files kills hostile fuzz determinism properties lowered floats"
all="$all threads sanitized coverage mutants formats hardening python"
mkdir -p $folder

build() { # build PRESET FOLDER [TARGET...]
    preset=$1 where=$2
    shift 2
    { sh scripts/deps.sh test && { [ -f "$where"/CMakeCache.txt ] || cmake --preset "$preset"; } &&
        cmake -DTULLE_BUILD_TESTS=ON "$where" && cmake --build "$where" -j 2 ${1:+--target "$@"}; } >$folder/build.log 2>&1 &&
        return
    tail -n 20 $folder/build.log
    return 1
}

# tests REGEX [OPTION...]: those of the release build, with what they print
tests() {
    regex=$1
    shift
    build release build && (cd build && ctest -V -R "$regex" "$@")
}

# sum WORDS...: adds up the numbers before each of the words in the log, for the figure
sum() {
    for words in "$@"; do
        printf '%s%s %s' "${separator:-}" "$(grep -oE "[0-9]+ $words" "$log" | awk '{ n += $1 } END { print n + 0 }')" "$words"
        separator=', '
    done
    separator=
}

last_line() { grep -v '^ *$' "$log" | tail -n 1; }
passed() { grep -hE '^[0-9]+% tests passed' "$log" | tail -n 1 | sed 's/.*out of \(.*\)/\1 tests/'; }

# For each step: its point on the list, what it does (run STEP AMOUNT), and the figure, from its $log.
point() {
    case $1 in
    memory) echo 1 ;;
    files) echo 2 ;;
    kills) echo 3 ;;
    hostile | fuzz) echo 4 ;;
    determinism) echo 5 ;;
    properties | lowered | floats) echo 6 ;;
    threads | sanitized) echo 7 ;;
    coverage | mutants) echo 8 ;;
    formats) echo 9 ;;
    hardening) echo 10 ;;
    python) echo - ;;
    esac
}

run() {
    case $1 in
    memory) TULLE_LONG=1 tests '^test_out_of_memory' ;;
    files) TULLE_LONG=1 tests '^test_(io_faults|power_cut|temporary_files|file_writer)|^cli_(full_disk|faults|unwritable)' ;;
    kills) build release build tulle_command && python3 scripts/kill_torture.py build/tulle --kills "${2:-25}" ;;
    hostile) TULLE_LONG=1 tests '^test_(hostile|model_hostile|checkpoint_traps|model_traps)|^cli_bad_|^fuzz_' ;;
    fuzz) sh scripts/fuzz.sh "${2:-3600}" ;;
    determinism) sh scripts/determinism.sh ;;
    properties)
        round=0 first=$(date +%s)
        while [ $round -lt "${2:-100}" ]; do
            round=$((round + 1))
            TULLE_SEED=$((first + 100000 * round)) tests '^test_properties_[a-z]*$' || return 1
        done
        ;;
    lowered)
        for table in avx2 generic; do
            TULLE_KERNELS=$table tests '^test_' || return 1
        done
        ;;
    floats) build release build test_elementary && TULLE_LONG_TESTS=1 build/tests/test_elementary ;;
    threads)
        build tsan build/tsan test_concurrency || return 1
        for round in $(seq "${2:-50}"); do
            build/tsan/tests/test_concurrency || return 1
            echo "$round rounds"
        done
        ;;
    sanitized) build tsan build/tsan && (cd build/tsan && ctest -j 2) && build asan build/asan && (cd build/asan && TULLE_LONG=1 ctest -j 2) ;;
    coverage) sh scripts/coverage.sh ;;
    mutants) python3 scripts/mutate.py ${2:+--sample "$2" --seed "$(date +%s)"} ;;
    formats) tests '^test_model_(formats|file)' ;;
    python) TULLE_LONG=1 sh scripts/python_test.sh && sh scripts/python_asan.sh ;;
    hardening) tests '^check_(hardening|structure|structure_check|assembly|install|core)$' && sh scripts/analyze.sh ;;
    esac
}

figure() {
    case $1 in
    memory) sum "allocations failed alone" "with all after them" ;;
    files) sum "calls failed" "interrupted and short" "states of the disk" ;;
    hostile) sum "cuts" "flipped bits" ;;
    properties) sum cases ;;
    lowered | sanitized | formats) passed ;;
    hardening) echo "$(passed); $(last_line)" ;;
    floats) grep -c OK "$log" | sed 's/$/ functions and checks/' ;;
    python) echo "$(grep -E " failed, [0-9]+ skipped$" "$log"); sanitized: $(last_line)" ;;
    *) last_line ;;
    esac
}

# shellcheck disable=SC2086 # words, on purpose
[ $# -gt 0 ] || set -- $all
for step in "$@"; do
    case " $all " in
    *" ${step%%=*} "*) ;;
    *)
        echo "torture.sh: there is no step '$step'; there are $all" >&2
        exit 2
        ;;
    esac
done

failed=0
printf '%-5s %-24s %-7s %7s  %s\n' point 'torture.sh ...' verdict seconds figure >$folder/table
for step in "$@"; do
    echo "--- $step"
    name=${step%%=*} amount=${step#"$name"} log=$folder/${step%%=*}.log
    begin=$(date +%s)
    { run "$name" "${amount#=}" && echo ok >$folder/status || echo FAILED >$folder/status; } 2>&1 | tee "$log"
    verdict=$(cat $folder/status)
    [ "$verdict" = ok ] || failed=$((failed + 1))
    printf '%-5s %-24s %-7s %7d  %s\n' "$(point "$name")" "$step" "$verdict" $(($(date +%s) - begin)) \
        "$(figure "$name")" >>$folder/table
done
echo
cat $folder/table
echo "$failed of $# steps failed"
[ $failed = 0 ]
