#!/bin/sh
# From a fresh clone to a trained model: installs what is missing, builds, trains on the California
# housing data, measures on its test rows and predicts a few of them.
set -eu
cd "$(dirname "$0")/.."

sh scripts/deps.sh
# A folder that is there keeps its generator.
generator="-G Ninja"
[ ! -f build/CMakeCache.txt ] || generator=
# shellcheck disable=SC2086 # words, on purpose
cmake -S . -B build $generator -DCMAKE_BUILD_TYPE=Release >/dev/null
cmake --build build
tulle=build/tulle
model=build/california.tulle

say() { printf '\n$ %s\n' "$*"; "$@"; }

say $tulle train data/california.csv --target MedHouseVal --split-column split -o $model
say $tulle eval $model data/california.csv --split test
head -n 6 data/california.csv >build/five-houses.csv
say $tulle predict $model build/five-houses.csv
printf '\nThe model is %s (%s bytes). Next: %s info %s\n' \
    $model "$(wc -c <$model | tr -d ' ')" $tulle $model
