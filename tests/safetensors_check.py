"""Opens a model with the real safetensors library and predicts with it in NumPy.

    safetensors_check.py MODEL DATA_CSV PREDICTIONS_CSV

PREDICTIONS_CSV is what Tulle predicted for the rows of DATA_CSV. Exits with 77 (skipped) where
NumPy or safetensors is missing.
"""

import csv
import json
import sys

try:
    import numpy as np
    from safetensors import safe_open
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "leaky_relu": lambda z: np.where(z >= 0, z, z * z.dtype.type(0.01)),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
}


def read_columns(path, names):
    """The named columns as (rows, names) doubles."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[name]) for name in names] for row in rows])


def main(model_path, data_path, predictions_path):
    with safe_open(model_path, "numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    assert metadata["format"] == "tulle" and metadata["format_version"] == "2", metadata
    model = json.loads(metadata["model"])
    dtype = {"f32": np.float32, "f64": np.float64}[model["precision"]]

    def values(columns, key):
        return np.array([column[key] for column in model[columns]])

    x = read_columns(data_path, [column["name"] for column in model["inputs"]])
    x = ((x - values("inputs", "mean")) / values("inputs", "scale")).astype(dtype)
    for number, layer in enumerate(model["layers"]):
        weight = tensors.pop(f"layers.{number}.weight")
        bias = tensors.pop(f"layers.{number}.bias")
        assert weight.dtype == bias.dtype == dtype, (number, weight.dtype, bias.dtype)
        assert weight.shape == (layer["units"], x.shape[1]), (number, weight.shape)
        assert bias.shape == (layer["units"],), (number, bias.shape)
        x = ACTIVATIONS[layer["activation"]](x @ weight.T + bias)
    assert tensors.pop("curve").shape == (model["training"]["curve"], 3)
    assert not tensors, f"tensors of no layer: {list(tensors)}"

    # Relative to the spread of the target, since a prediction near 0 has no digits of its own.
    scale = values("targets", "scale")
    expected = x.astype(np.float64) * scale + values("targets", "mean")
    found = read_columns(predictions_path, [column["name"] for column in model["targets"]])
    assert found.shape == expected.shape, (found.shape, expected.shape)
    worst = np.max(np.abs(found - expected) / np.maximum(np.abs(expected), scale))
    limit = {"f32": 1e-5, "f64": 1e-12}[model["precision"]]
    rows, targets = found.shape
    print(f"{rows} rows, {targets} targets: worst relative difference {worst:.1e}, limit {limit:g}")
    return 0 if worst <= limit else 1


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
