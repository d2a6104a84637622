#!/bin/sh
# Installs a build into an empty prefix and compiles a ten-line program against it in the three ways
# that users have: pkg-config with the shared library, with the static one, and find_package(tulle).
#
# usage: check_install.sh BUILD-FOLDER
set -eu
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
cmake --install "$build" --prefix "$work/prefix" >/dev/null
libdir=$(dirname "$(find prefix -name libtulle.a)")
export PKG_CONFIG_PATH="$work/$libdir/pkgconfig"

cat >ten.c <<'C'
#include <stdio.h>
#include <tulle.h>

int main(void)
{
    const struct tulle_layer layers[] = {{.units = 8, .activation = TULLE_ACTIVATION_TANH}, {.units = 1}};
    struct tulle_trainer_options options = TULLE_TRAINER_OPTIONS;
    const double x[] = {0, 0.25, 0.5, 0.75}, y[] = {0, 1, 0, -1};
    tulle_trainer *trainer;
    double loss = 0;
    options.inputs = 1, options.layers = layers, options.layer_count = 2;
    if (tulle_trainer_create(&options, &trainer, NULL) != TULLE_OK)
        return 1;
    for (int i = 0; i < 100; i++)
        tulle_trainer_step(trainer, tulle_f64(x, 4, 1), tulle_f64(y, 4, 1), &loss);
    tulle_trainer_free(trainer);
    printf("tulle %s, loss %.6f\n", tulle_version(), loss);
    return 0;
}
C

# shellcheck disable=SC2046 # words, on purpose
cc -std=c11 -Wall -Wextra -Werror ten.c $(pkg-config --cflags --libs tulle) -o shared
LD_LIBRARY_PATH="$libdir" DYLD_LIBRARY_PATH="$libdir" ./shared >shared.txt
# shellcheck disable=SC2046
cc ten.c $(pkg-config --cflags tulle) "$libdir/libtulle.a" \
    $(pkg-config --static --libs-only-l tulle | sed 's/-ltulle / /') -o static
./static >static.txt

cat >CMakeLists.txt <<'CMAKE'
cmake_minimum_required(VERSION 3.16)
project(ten C)
find_package(tulle 0.1 REQUIRED)
add_executable(ten ten.c)
target_link_libraries(ten PRIVATE tulle::tulle)
add_executable(ten_static ten.c)
target_link_libraries(ten_static PRIVATE tulle::tulle_static)
CMAKE
cmake -S . -B out -DCMAKE_PREFIX_PATH="$work/prefix" >/dev/null
cmake --build out >/dev/null
./out/ten >cmake.txt
./out/ten_static >cmake_static.txt

# A header for C++ programs too.
if command -v c++ >/dev/null 2>&1; then
    echo '#include <tulle.h>
int main() { tulle_train_options o = TULLE_TRAIN_OPTIONS; return o.size == 0; }' >plus.cc
    c++ -Wall -Wextra -Werror plus.cc $(pkg-config --cflags --libs tulle) -o plus
    LD_LIBRARY_PATH="$libdir" ./plus
fi

cmp shared.txt static.txt && cmp shared.txt cmake.txt && cmp shared.txt cmake_static.txt
case $(uname -s) in
Linux)
    readelf -d "$libdir"/libtulle.so | grep -q 'soname: \[libtulle.so.0\]'
    # Nothing but the public calls may be seen from outside.
    if nm -D --defined-only "$libdir"/libtulle.so | awk '{ print $3 }' | grep -v '^tulle_'; then
        echo "check_install.sh: the symbols above are exported" >&2
        exit 1
    fi
    ;;
esac
echo "$(cat shared.txt): pkg-config, static, CMake"
