#!/bin/sh
# Builds with gcc's counters of lines and branches (the coverage preset), runs every test, and prints what
# of lib/ and cli/, the kernels aside, was not reached. Ends with status 1 if a test failed or if
# coverage is below the bars, which stand in scripts/coverage_report.py.
#
# usage: coverage.sh [CTEST-OPTION...]     such as -R test_csv, for a look at one thing
set -eu
cd "$(dirname "$0")/.."
sh scripts/deps.sh test

folder=build/coverage
mkdir -p build
cmake --preset coverage >build/cmake-coverage.log
cmake --build $folder -j 2
find $folder -name '*.gcda' -exec rm {} +
tests=0
(cd $folder && ctest --output-on-failure -j 2 "$@") || tests=$?
python3 scripts/coverage_report.py $folder
[ $tests = 0 ]
