#!/bin/sh
# Installs what is missing to build Tulle (default), to test it (`deps.sh test`), to build and test its
# Python package (`deps.sh python`), to fuzz it (`deps.sh fuzz`) or to analyse its sources (`deps.sh
# analyze`, or quickly: `deps.sh analyze quick`). Says what it is about to install; does nothing, and needs
# no root, when all is there.
set -eu

want=${1:-build}

# has_tool NAME, has_pc MODULE (pkg-config), has_header FILE, has_file PATH, has_venv...
has_tool() { command -v "$1" >/dev/null 2>&1; }
has_pc() { has_tool pkg-config && pkg-config --exists "$1"; }
has_python_header() { python3 -c 'import os, sysconfig; os.stat(sysconfig.get_path("include") + "/Python.h")' 2>/dev/null; }
has_venv() { python3 -c 'import ensurepip' 2>/dev/null; }
has_file() { [ -f "$1" ]; }
has_fuzzer() { has_tool clang && [ -n "$(find "$(clang -print-resource-dir)" -name 'libclang_rt.fuzzer*')" ]; }
has_header() { echo "#include <$1>" | cc -E -x c - >/dev/null 2>&1; }

# need CHECK... -- DEBIAN-PACKAGE HOMEBREW-FORMULA ("-" where the system itself has it)
apt_missing= brew_missing=
need() {
    check="$1 $2" && shift 3
    $check && return
    [ "$1" = - ] || apt_missing="$apt_missing $1"
    [ "$2" = - ] || brew_missing="$brew_missing $2"
}

need has_tool cc -- gcc -
need has_header stdlib.h -- libc6-dev -
need has_tool cmake -- cmake cmake
need has_tool ninja -- ninja-build ninja
need has_tool pkg-config -- pkg-config pkgconf
need has_pc jansson -- libjansson-dev jansson
need has_pc libxxhash -- libxxhash-dev xxhash
need has_pc zlib -- zlib1g-dev -
if [ "$want" = fuzz ]; then
    need has_tool clang -- clang llvm
    need has_fuzzer -- libclang-rt-dev llvm
fi
if [ "$want" = python ]; then
    need has_tool python3 -- python3 python3
    need has_venv -- -- python3-venv -
    need has_python_header -- -- python3-dev -
fi
if [ "$want" = test ]; then
    need has_pc cmocka -- libcmocka-dev cmocka
    need has_tool python3 -- python3 python3
    need has_tool gzip -- gzip -
    # A second compiler, the Python packages' environment and a second machine (aarch64, emulated) are
    # wished for; without them, and without the right to install them, their tests are skipped.
    if [ "$(id -u)" = 0 ] && [ "$(uname -s)" = Linux ]; then
        need has_tool clang -- clang -
        need has_venv -- -- python3-venv -
        need has_python_header -- -- python3-dev -
        if [ "$(uname -m)" = x86_64 ]; then
            need has_tool aarch64-linux-gnu-gcc -- gcc-aarch64-linux-gnu -
            need has_file /usr/aarch64-linux-gnu/include/stdlib.h -- libc6-dev-arm64-cross -
            need has_tool qemu-aarch64 -- qemu-user -
        fi
    fi
fi

if [ "$want" = analyze ]; then
    need has_tool gcc -- gcc -
    need has_tool cppcheck -- cppcheck cppcheck
    [ "${2:-}" = quick ] || need has_tool clang-tidy -- clang-tidy llvm
fi

if has_tool apt-get; then
    missing=$apt_missing
    install="apt-get install -y --no-install-recommends"
    if [ "$(id -u)" != 0 ]; then
        if has_tool sudo; then install="sudo $install"; else install=; fi
    fi
elif has_tool brew; then
    missing=$brew_missing
    install="brew install"
else
    missing="$apt_missing$brew_missing"
    install=
fi
[ -n "$missing" ] || exit 0

echo "deps.sh: to install:$missing" >&2
if [ -z "$install" ]; then
    echo "deps.sh: these need root to install, or a system with apt-get or brew" >&2
    exit 1
fi
case $install in
*apt-get*) ${install%% install*} update -qq >&2 ;;
esac
# shellcheck disable=SC2086 # words, on purpose
DEBIAN_FRONTEND=noninteractive $install $missing >&2
