#!/bin/sh
# Installs what is missing, then runs every test: as gcc's and clang's optimised builds and under
# AddressSanitizer + UndefinedBehaviorSanitizer; those of the library's arithmetic and files for aarch64,
# emulated; and those with threads under ThreadSanitizer. Then goes over the sources (scripts/analyze.sh), and
# builds and tests the Python package (scripts/python_test.sh), unless it cannot have what that takes.
# Ends in "N passed, N failed", with status 1 if any failed.
#
# usage: test.sh [PRESET...]     only these of release, clang, aarch64, asan, tsan
set -eu
cd "$(dirname "$0")/.."
sh scripts/deps.sh test

# Two checks (the safetensors package, the NumPy notebook) use Python packages when they can be had.
python=build/venv/bin/python3
if ! $python -c 'import numpy, safetensors' 2>/dev/null; then
    mkdir -p build
    { python3 -m venv build/venv && $python -m pip install -q numpy safetensors; } >build/venv.log 2>&1 ||
        echo "test.sh: no virtual environment with numpy and safetensors; their checks are skipped" >&2
fi

passed=0 failed=0 skipped=0
count() { # count PRESET: adds up a ctest log
    set -- "$(grep -c ' Passed ' build/ctest-$1.log || true)" \
        "$(grep -cE '\*\*\*(Failed|Timeout|Exception|Not Run)' build/ctest-$1.log || true)" \
        "$(grep -c '\*\*\*Skipped' build/ctest-$1.log || true)"
    [ "$1" -gt 0 ] || set -- 0 $(($2 + 1)) "$3" # no test ran: that is a failure too
    passed=$((passed + $1)) failed=$((failed + $2)) skipped=$((skipped + $3))
}

has_aarch64() {
    command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64 && sh scripts/aarch64_sysroot.sh build/aarch64-sysroot
}

# What is to be built for the tests that ctest would run with the options in $only: all, or those alone.
list_targets() {
    [ -n "$only" ] || return 0
    # shellcheck disable=SC2086 # words, on purpose
    (cd "$folder" && ctest -N $only) | sed -n 's/^ *Test *#[0-9]*: fuzz_/--target replay_fuzz_/p; s/^ *Test *#[0-9]*: test_/--target test_/p'
}

for preset in ${*:-release clang aarch64 asan tsan}; do
    if [ "$preset" = clang ] && ! command -v clang >/dev/null 2>&1; then
        echo "test.sh: no clang here, its build is skipped" >&2
        continue
    fi
    if [ "$preset" = aarch64 ] && ! has_aarch64 >build/aarch64.log 2>&1; then
        echo "test.sh: no aarch64 compiler, emulator or libraries here (build/aarch64.log), its build is skipped" >&2
        continue
    fi
    echo "--- $preset"
    begin=$(date +%s)
    folder=build/$preset
    [ "$preset" != release ] || folder=build
    only=
    [ "$preset" != tsan ] || only="-R test_(pool|propagate|trainer|members|front|session|notebook|properties_bits|concurrency)"
    [ "$preset" != aarch64 ] || only="-E test_(training|model_hostile|hostile_memory|io_faults|out_of_memory|concurrency)" # long, and the same everywhere
    # The preset is for a new folder; one that is there keeps its generator and settings.
    # shellcheck disable=SC2086 # words, on purpose
    if { [ -f "$folder"/CMakeCache.txt ] || cmake --preset "$preset"; } >build/cmake-"$preset".log &&
        cmake -DTULLE_BUILD_TESTS=ON -DTULLE_WERROR=ON "$folder" >>build/cmake-"$preset".log &&
        cmake --build "$folder" -j 2 $(list_targets); then
        echo "(built after $(($(date +%s) - begin)) s)"
        (cd "$folder" && ctest --output-on-failure -j 2 $only) | tee build/ctest-"$preset".log || true
        count "$preset"
        echo "(done after $(($(date +%s) - begin)) s)"
    else
        cat build/cmake-"$preset".log
        echo "test.sh: the $preset build failed" >&2
        failed=$((failed + 1))
    fi
done

if [ $# = 0 ]; then
    echo "--- analysis"
    result=0
    sh scripts/analyze.sh quick || result=$?
    case $result in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)) ;;
    *) failed=$((failed + 1)) ;;
    esac

    echo "--- python"
    begin=$(date +%s)
    { sh scripts/python_test.sh || echo "status $?"; } | tee build/python.log
    if grep -qx 'status 77' build/python.log; then
        skipped=$((skipped + 1))
    else
        # shellcheck disable=SC2046 # three numbers, on purpose; without them that is a failure
        set -- $(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' build/python.log)
        passed=$((passed + ${1:-0})) failed=$((failed + ${2:-1})) skipped=$((skipped + ${3:-0}))
    fi
    echo "(done after $(($(date +%s) - begin)) s)"
fi

[ $skipped = 0 ] || echo "($skipped skipped)"
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
