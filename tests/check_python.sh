#!/bin/sh
# What other programs make of ours: the safetensors package opens a model and NumPy predicts from it;
# the notebook in NumPy gives the same trajectory. Skipped (77) where Python lacks the packages.
#
# usage: check_python.sh TULLE NOTEBOOK
set -eu
tulle=$1 notebook=$2
root=$(cd "$(dirname "$0")/.." && pwd)
python=$root/build/venv/bin/python3
"$python" -c 'import numpy, safetensors' 2>/dev/null || python=python3
"$python" -c 'import numpy, safetensors' 2>/dev/null || exit 77
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

head -n 4001 "$root/data/california.csv" >table.csv
for options in "--recipe notebook --activation tanh --precision f32" \
    "--recipe notebook --activation tanh --precision f64" "--recipe tabular --precision f32" \
    "--recipe tabular --precision f64" "--recipe ensemble --precision f64"; do
    # shellcheck disable=SC2086 # words, on purpose
    "$tulle" train table.csv --target MedHouseVal --split-column split $options --epochs 1 --quiet \
        -o model.tulle
    "$tulle" predict model.tulle table.csv --quiet -o predictions.csv
    "$python" "$root/tests/safetensors_check.py" model.tulle table.csv predictions.csv
done

for options in "--seed 5 --rows 130 --features 20 --epochs 7 --batch 50 --lr 2e-3 --every 3" \
    "--seed 99 --rows 1000 --features 100 --epochs 21 --batch 500 --lr 1e-3 --every 10"; do
    # shellcheck disable=SC2086 # words, on purpose
    "$notebook" $options >notebook.csv
    # shellcheck disable=SC2086
    "$python" "$root/tests/notebook_check.py" $options --compare notebook.csv
done
