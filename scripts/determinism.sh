#!/bin/sh
# Whether a model's file and predictions are the same bits whatever compiler, optimisation, instruction set
# and number of threads made them: builds tests/test_hashes.c with each compiler that is there at -O0, -O2
# and -O3, also for aarch64, runs it with each kernel table of the machine on 1, 2, 3 and 7 threads, and
# compares with tests/data/hashes.txt. Prints a table of how many were equal, and ends at the first that is not.
#
# usage: determinism.sh [FOLDER]     the folder to build in [build/determinism]
set -eu
cd "$(dirname "$0")/.."
folder=${1:-build/determinism}
expected=tests/data/hashes.txt
sh scripts/deps.sh test
mkdir -p "$folder"
equal=0

# build NAME LEVEL [CMAKE-OPTION...]: into $folder/NAME
build() {
    name=$1 level=$2
    shift 2
    { cmake -S . -B "$folder/$name" -G Ninja -DTULLE_BUILD_TESTS=ON -DTULLE_BUILD_EXAMPLES=OFF -DTULLE_WITH_GZIP=OFF \
        -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$level" "$@" &&
        cmake --build "$folder/$name" -j 2 --target test_hashes; } >"$folder/$name.log" 2>&1 && return
    cat "$folder/$name.log"
    echo "determinism.sh: the build $name failed" >&2
    exit 1
}

# compare NAME KERNELS THREADS [EMULATOR...]: prints a cell of the table
compare() {
    name=$1 kernels=$2 threads=$3
    shift 3
    status=0
    "$@" "$folder/$name/tests/test_hashes" "$threads" "$kernels" >"$folder/found.txt" || status=$?
    if [ $status = 77 ]; then
        printf '%4s' -
    elif [ $status = 0 ] && cmp -s "$folder/found.txt" $expected; then
        printf '%4d' "$(wc -l <$expected)"
        equal=$((equal + $(wc -l <$expected)))
    else
        printf '\ndeterminism.sh: %s, %s kernels, %s threads (exit %s): found, and expected\n' \
            "$name" "$kernels" "$threads" $status
        diff "$folder/found.txt" $expected || true
        exit 1
    fi
}

# row NAME "KERNELS..." [EMULATOR...]
row() {
    name=$1 tables=$2
    shift 2
    printf '%-14s' "$name"
    for table in $tables; do
        printf ' | %-7s' "$table"
        for count in 1 2 3 7; do
            compare "$name" "$table" $count "$@"
        done
    done
    echo
}

has_aarch64() {
    command -v aarch64-linux-gnu-gcc && command -v qemu-aarch64 && sh scripts/aarch64_sysroot.sh build/aarch64-sysroot
}
compilers=
for compiler in gcc clang; do
    command -v $compiler >/dev/null && compilers="$compilers $compiler"
done
has_aarch64 >"$folder/aarch64.log" 2>&1 && compilers="$compilers aarch64"

echo "equal hashes of $(wc -l <$expected), by build and kernels, on 1, 2, 3 and 7 threads:"
for level in -O0 -O2 -O3; do
    for compiler in $compilers; do
        name=$compiler$level
        if [ "$compiler" = aarch64 ]; then
            build "$name" "$level" -DCMAKE_TOOLCHAIN_FILE=cmake/aarch64-linux-gnu.cmake
            row "$name" "neon" qemu-aarch64 -L /usr/aarch64-linux-gnu
        else
            build "$name" "$level" -DCMAKE_C_COMPILER="$compiler"
            row "$name" "generic avx2 avx512"
        fi
    done
done
echo "$equal hashes are equal"
