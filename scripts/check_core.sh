#!/bin/sh
# The arithmetic core must build as plain `cc -O2 -c` on its sources, with no flags and nothing beyond
# libc and libm, and give the same bits as the library does. Everything is compiled so: the parts that
# need jansson, xxHash or zlib then say at run time that they were left out.
#
# usage: check_core.sh NOTEBOOK COMPILER     NOTEBOOK: the example as the ordinary build made it
set -eu
notebook=$1 compiler=$2
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cd "$work"
"$compiler" -O2 -c "$root"/lib/*/*.c
"$compiler" -O2 -I"$root/include" "$root/examples/notebook.c" ./*.o -o notebook -lm -lpthread
for precision in f32 f64; do
    set -- --rows 203 --features 17 --batch 50 --epochs 11 --every 5 --precision $precision
    "$notebook" "$@" >expected.csv
    ./notebook "$@" >core.csv
    cmp expected.csv core.csv
    TULLE_KERNELS=generic ./notebook "$@" >generic.csv
    cmp expected.csv generic.csv
done

cat >load.c <<'C'
#include <stdio.h>
#include "tulle.h"
int main(void)
{
    struct tulle_error error;
    tulle_model *model;
    enum tulle_status status = tulle_model_load("model.tulle", &model, &error);
    printf("%s\n", error.message);
    return status == TULLE_ERROR_UNSUPPORTED ? 0 : 1;
}
C
"$compiler" -O2 -I"$root/include" load.c ./*.o -o load -lm -lpthread
./load
echo "the core builds with plain $(basename "$compiler") and gives the same bits"
