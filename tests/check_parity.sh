#!/bin/sh
# Whether the vectors in parity/ are still what PyTorch and scikit-learn compute. Skipped (77) where
# neither can be imported; scripts/peers.sh installs both.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
for python in "${TULLE_PEERS:-$HOME/.cache/tulle-peers}/venv/bin/python" python3; do
    "$python" -c 'import torch' 2>/dev/null || "$python" -c 'import sklearn' 2>/dev/null || continue
    exec "$python" "$root/tests/parity/make_vectors.py" --check
done
echo "skipped: no Python that has PyTorch or scikit-learn"
exit 77
