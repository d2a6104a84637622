"""Opens a model with the real safetensors library and predicts with it in NumPy.

    safetensors_check.py MODEL DATA_CSV PREDICTIONS_CSV

It is docs/format.md in code, for models of numeric columns that never are missing: of regression,
by mse. PREDICTIONS_CSV is what Tulle predicted for the rows of DATA_CSV. Exits with 77 (skipped)
where NumPy or safetensors is missing.
"""

import csv
import json
import statistics
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
    "mish": lambda z: z * np.tanh(np.logaddexp(z, 0)),
}


def read_columns(path, names):
    """The named columns as (rows, names) doubles."""
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    return np.array([[float(row[name]) for name in names] for row in rows])


def normal_deviates(quantiles, x):
    """Of the shares of training values below x, by the column's quantiles."""
    last = len(quantiles) - 1
    values = np.unique(quantiles)
    first_share = np.searchsorted(quantiles, values, "left") / last
    last_share = (np.searchsorted(quantiles, values, "right") - 1) / last
    shares = np.clip((first_share + last_share) / 2, 1 / (4 * last), 1 - 1 / (4 * last))
    deviates = [statistics.NormalDist().inv_cdf(share) for share in shares]
    return np.interp(x, values, deviates)


def scale_inputs(columns, tensors, x):
    """What the columns' values x (rows, columns) enter the network as."""
    for i, column in enumerate(columns):
        if column["scaling"] == "quantile":
            x[:, i] = normal_deviates(tensors.pop(f"columns.{i}.quantiles"), x[:, i])
        else:
            x[:, i] = (x[:, i] - column["mean"]) / column["scale"]
        if column["scaling"] == "robust":
            x[:, i] /= np.sqrt(1 + (x[:, i] / 3) ** 2)
        if column["scaling"] != "none" and column["min"] == column["max"]:
            x[:, i] = 0
    return x


def embed_numbers(front, tensors, x):
    """x with the vectors of the front's numbers behind it."""
    if not front["numbers"]:
        return x
    numbers, weight = x[:, front["numbers"], None], tensors.pop("numbers.weight")
    if front["bins"]:
        knots = tensors.pop("numbers.knots").astype(x.dtype)
        shares = np.clip((numbers - knots[:, :-1]) / np.diff(knots), 0, 1)
        vectors = np.einsum("rnt,ntd->rnd", shares, weight)
    else:
        frequency, phase = tensors.pop("numbers.frequency"), tensors.pop("numbers.phase")
        waves = np.cos(2 * np.pi * frequency * numbers + phase)
        vectors = np.einsum("rnf,ndf->rnd", waves, weight) + tensors.pop("numbers.bias")
    assert vectors.shape[1:] == (len(front["numbers"]), front["dimensions"]), vectors.shape
    return np.concatenate([x, vectors.reshape(len(x), -1)], axis=1).astype(x.dtype)


def pass_layers(model, tensors, x):
    """The outputs (rows, units) for the inputs of the first layer, the mean of all members'."""
    front, layers, outputs = model["front"], model["layers"], 0
    members = front["members"]
    factors = tensors.pop("factors") if front["factors"] else np.ones((1, x.shape[1]), x.dtype)
    assert factors.shape == (members, x.shape[1]), factors.shape
    names = [f"layers.{l}.{part}" for l in range(len(layers)) for part in ("weight", "bias")]
    names += [f"layers.{l}.mix" for l, layer in enumerate(layers) if layer["parametric"]]
    parameters = {name: tensors.pop(name) for name in names}
    for member in range(members):
        h = x * factors[member]
        for l, layer in enumerate(layers):
            weight, bias = parameters[f"layers.{l}.weight"], parameters[f"layers.{l}.bias"]
            if l + 1 == len(layers) and members > 1:
                assert len(weight) == len(bias) == members, (weight.shape, bias.shape)
                weight, bias = weight[member], bias[member]
            assert weight.dtype == bias.dtype == x.dtype, (l, weight.dtype, bias.dtype)
            assert weight.shape == (layer["units"], h.shape[1]), (l, weight.shape)
            assert bias.shape == (layer["units"],), (l, bias.shape)
            z = h @ weight.T + bias
            h = ACTIVATIONS[layer["activation"]](z)
            if layer["parametric"]:
                h = z + parameters[f"layers.{l}.mix"] * (h - z)
        outputs = outputs + h.astype(np.float64) / members
    return outputs


def main(model_path, data_path, predictions_path):
    with safe_open(model_path, "numpy") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    assert metadata["format"] == "tulle" and metadata["format_version"] == "3", metadata
    model = json.loads(metadata["model"])
    dtype = {"f32": np.float32, "f64": np.float64}[model["precision"]]

    def values(columns, key):
        return np.array([column[key] for column in model[columns]])

    x = read_columns(data_path, [column["name"] for column in model["inputs"]])
    x = embed_numbers(model["front"], tensors, scale_inputs(model["inputs"], tensors, x).astype(dtype))
    outputs = pass_layers(model, tensors, x)
    assert tensors.pop("curve").shape == (model["training"]["curve"], 3)
    assert not tensors, f"tensors of no layer: {list(tensors)}"

    # Relative to the spread of the target, since a prediction near 0 has no digits of its own.
    scale = values("targets", "scale")
    expected = outputs * scale + values("targets", "mean")
    held = np.clip(expected, values("targets", "min"), values("targets", "max"))
    expected = np.where(values("targets", "clamped"), held, expected)
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
