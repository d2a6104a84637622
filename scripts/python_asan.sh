#!/bin/sh
# Runs the tests of the Python extension under AddressSanitizer and UndefinedBehaviorSanitizer: it and the
# library are built with both, and Python's own objects come from malloc, so that their misuse is seen too.
# Leaks are test_nothing_leaks's business: Python itself keeps much until it ends.
#
# usage: python_asan.sh [PYTHON [PYTEST-ARGUMENT...]]     PYTHON: one that has numpy, pytest and hypothesis
set -eu
cd "$(dirname "$0")/.."
python=${1:-build/python-venv/bin/python}
[ $# = 0 ] || shift
build=build/python-asan
cmake -G Ninja -S . -B $build -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTULLE_BUILD_PYTHON=ON -DTULLE_BUILD_EXAMPLES=OFF \
    -DPython_EXECUTABLE="$(command -v "$python")" \
    -DCMAKE_C_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer" >$build.log
cmake --build $build --target _core >>$build.log || { cat $build.log >&2 && exit 1; }
rm -rf $build/package && mkdir $build/package
cp -r python/tulle $build/package/
cp $build/python/_core.abi3.so $build/package/tulle/
[ $# -gt 0 ] || set -- python/tests/test_core_*.py

# libstdc++ beside it, as other extensions throw exceptions through it. pytest would swallow the report.
rm -f $build/report.*
status=0
LD_PRELOAD="$(cc -print-file-name=libasan.so) $(cc -print-file-name=libstdc++.so)" \
ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=1:allocator_may_return_null=1:log_path=$PWD/$build/report \
UBSAN_OPTIONS=print_stacktrace=1:log_path=$PWD/$build/report \
PYTHONMALLOC=malloc PYTHONPATH=$PWD/$build/package \
    "$python" -m pytest -q -p no:cacheprovider -p no:faulthandler "$@" || status=$?
cat $build/report.* 2>/dev/null && exit 1
exit $status
