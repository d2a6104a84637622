#!/bin/sh
# Usage: peers.sh [PIP-OPTION...]
#
# Installs what bench/compare.py compares Tulle with, into $TULLE_PEERS or ~/.cache/tulle-peers:
# Python packages into a virtual environment, KANN as source; and, as root on Debian, FANN and
# OpenBLAS by apt-get. What cannot be had is named, and compare.py does without.
#
# PyTorch's wheel for Linux on x86-64 brings several GB of CUDA; its page tells the --index-url of
# the wheels for CPUs alone, to be given as the option.
set -eu

folder=${TULLE_PEERS:-$HOME/.cache/tulle-peers}
missing=

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get update -qq >&2 || true
    for package in libfann-dev libopenblas-dev g++ pkg-config; do # g++: torch.compile calls it
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $package >&2 ||
            missing="$missing $package"
    done
else
    for module in fann openblas; do
        pkg-config --exists $module || missing="$missing $module"
    done
fi

mkdir -p "$folder"
[ -x "$folder/venv/bin/python" ] || python3 -m venv "$folder/venv"
for package in torch numpy scikit-learn jax onnx onnxruntime matplotlib; do
    options=
    [ $package != torch ] || options=$*
    # shellcheck disable=SC2086 # words, on purpose
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check $options $package >&2 ||
        missing="$missing $package"
done

[ -e "$folder/kann/kann.c" ] || {
    rm -rf "$folder/kann"
    git clone --quiet --depth 1 https://github.com/attractivechaos/kann "$folder/kann" >&2
} || missing="$missing kann"

[ -z "$missing" ] || echo "peers.sh: not to be had here:$missing" >&2
echo "peers.sh: installed in $folder; now: bench/compare.py" >&2
