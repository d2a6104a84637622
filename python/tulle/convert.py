"""Weights from elsewhere, and models to elsewhere.

In: scikit-learn's multilayer perceptrons, PyTorch's `nn.Sequential` or its state dict, FANN's `.net` files. Out: ONNX
and PyTorch. What they need is imported when it is asked for. What a network has that Tulle has not is an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tulle import _core

__all__ = ["from_fann", "from_sklearn", "from_torch", "to_onnx", "to_torch"]

# modules of PyTorch without settings of their own, by the library's names of them
TORCH_ACTIVATIONS = {
    "Identity": "identity",
    "ReLU": "relu",
    "Tanh": "tanh",
    "Sigmoid": "logistic",
    "SELU": "selu",
    "SiLU": "silu",
    "Mish": "mish",
}

# FANN's numbers of activations, with what its steepness is multiplied by to be a factor of the sum
FANN_ACTIVATIONS = {
    0: ("identity", 1.0),
    3: ("logistic", 2.0),
    5: ("tanh", 1.0),
    14: ("sine", 1.0),
}


def _model_of(
    weights: Sequence[tuple[np.ndarray, np.ndarray]],
    activations: Sequence[str],
    loss: str = "mse",
    precision: str = "f64",
    **options: Any,
) -> Any:
    """A model with these weights (units, inputs), biases and activations, layer by layer."""
    layers = [(len(w), activation) for (w, _), activation in zip(weights, activations)]
    trainer = _core.Trainer(weights[0][0].shape[1], layers, loss=loss, precision=precision, threads=1, **options)
    for index, (w, b) in enumerate(weights):
        trainer.set_parameters(index, np.ascontiguousarray(w, np.float64), np.ascontiguousarray(b, np.float64))
    return trainer.model()


def from_sklearn(mlp: Any) -> Any:
    """The estimator of Tulle that a fitted MLPRegressor or MLPClassifier of scikit-learn is.

    It predicts the same, and its training goes on (`partial_fit`, `warm_start`), if with a new optimiser; its `model_`
    is the `tulle.Model`.

    Examples
    --------
    >>> import numpy as np, tulle
    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.arange(20.0).reshape(10, 2)
    >>> theirs = MLPRegressor(solver="lbfgs", random_state=0).fit(X, X[:, 0])
    >>> ours = tulle.convert.from_sklearn(theirs)
    >>> np.allclose(ours.predict(X), theirs.predict(X))
    True
    """
    from tulle._labels import Labels
    from tulle.classifier import MLPClassifier
    from tulle.regressor import MLPRegressor

    is_classifier = hasattr(mlp, "classes_")
    if not hasattr(mlp, "coefs_"):
        raise ValueError(f"from_sklearn needs a fitted MLPRegressor or MLPClassifier, got {mlp!r}")
    made = (MLPClassifier if is_classifier else MLPRegressor)(**mlp.get_params())
    if is_classifier:
        kind = mlp._label_binarizer.y_type_
        made.classes_ = mlp.classes_
        made._labels = Labels("multilabel" if kind.startswith("multilabel") else kind, mlp.classes_)
    taken = ("n_features_in_", "feature_names_in_", "n_layers_", "n_outputs_", "out_activation_", "n_iter_", "t_",
             "loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_")  # fmt: skip
    for name in taken:
        if hasattr(mlp, name):
            setattr(made, name, getattr(mlp, name))
    made._adopt([np.array(one) for one in mlp.coefs_], [np.array(one) for one in mlp.intercepts_])
    return made


def from_torch(module: Any, activation: str = "relu", task: str = "regression") -> Any:
    """The model that an `nn.Sequential` of linear layers and activations is, or such a one's state dict.

    Parameters
    ----------
    module : nn.Sequential, or its state dict
        Dropout and Flatten may be among its modules: they do nothing to predictions of rows.
    activation : str, default="relu"
        Of the hidden layers of a state dict, which does not say it.
    task : {"regression", "classification"}, default="regression"
        What the last layer gives: numbers, or classes' scores before a softmax (of one output, a logistic). A Softmax
        or Sigmoid at the end of the module says so itself.

    Returns
    -------
    tulle.Model
        In f64 or f32, as the weights are; columns are named c0, c1, ...
    """
    if hasattr(module, "children"):
        weights, activations, is_probability = _torch_layers(module)
    elif not hasattr(module, "items"):
        raise TypeError(f"from_torch needs an nn.Sequential or its state dict, got {type(module).__name__}")
    else:
        weights, is_probability = _torch_state(module), False
        activations = [activation] * (len(weights) - 1) + ["identity"]
    if task not in ("regression", "classification"):
        raise ValueError(f"task must be 'regression' or 'classification', got {task!r}")
    loss = "mse"
    if task == "classification" or is_probability:
        loss = "binary_cross_entropy" if len(weights[-1][0]) == 1 else "cross_entropy"
    precision = "f64" if weights[0][0].dtype == np.float64 else "f32"
    return _model_of(weights, activations, loss, precision)


def _array(tensor: Any) -> np.ndarray:
    return np.asarray(tensor.detach().cpu().numpy() if hasattr(tensor, "detach") else tensor)


def _torch_layers(module: Any) -> tuple[list[tuple[np.ndarray, np.ndarray]], list[str], bool]:
    """Weights and activations of a Sequential, nested ones too; and whether it ends in probabilities."""
    weights: list[tuple[np.ndarray, np.ndarray]] = []
    activations: list[str] = []
    flat = [one for one in module.modules() if not list(one.children())]
    for index, one in enumerate(flat):
        kind = type(one).__name__
        if kind == "Linear":
            w = _array(one.weight)
            weights.append((w, _array(one.bias) if one.bias is not None else np.zeros(len(w), w.dtype)))
            activations.append("identity")
        elif kind in ("Dropout", "Flatten"):
            continue
        elif not weights:
            raise ValueError(f"from_torch: the first module must be Linear, got {one}")
        elif index == len(flat) - 1 and (kind == "Softmax" or (kind == "Sigmoid" and len(weights[-1][0]) == 1)):
            return weights, activations, True
        elif activations[-1] != "identity":
            raise ValueError(f"from_torch: expected Linear after {activations[-1]}, got {one}")
        else:
            activations[-1] = _torch_activation(one)
    if not weights:
        raise ValueError(f"from_torch: there is no Linear in {module}")
    return weights, activations, False


def _torch_activation(one: Any) -> str:
    kind = type(one).__name__
    if kind in TORCH_ACTIVATIONS:
        return TORCH_ACTIVATIONS[kind]
    if kind == "GELU":
        return "gelu" if one.approximate == "none" else "gelu_tanh"
    is_known = {
        "LeakyReLU": ("leaky_relu", lambda: one.negative_slope == 0.01),
        "ELU": ("elu", lambda: one.alpha == 1),
        "Softplus": ("softplus", lambda: one.beta == 1),
    }
    if kind in is_known and is_known[kind][1]():
        return is_known[kind][0]
    raise ValueError(f"from_torch: Tulle has no {one}; it has Linear, activations, Dropout and Flatten")


def _torch_state(state: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pairs of a state dict, "0.weight", "0.bias", "2.weight", ..., in its order."""
    weights = []
    for name, tensor in state.items():
        if name.endswith("weight"):
            w = _array(tensor)
            if w.ndim != 2:
                raise ValueError(f"from_torch: {name!r} has shape {w.shape}, but Linear's weights have 2 axes")
            bias = state.get(name[: -len("weight")] + "bias")
            weights.append((w, np.zeros(len(w), w.dtype) if bias is None else _array(bias)))
        elif not name.endswith("bias"):
            raise ValueError(f"from_torch: {name!r} is no Linear's; only weights and biases can be used")
    if not weights:
        raise ValueError("from_torch: the state dict has no weights")
    return weights


def from_fann(path: Any) -> Any:
    """The model that a FANN `.net` file of floating point holds, layered, with activations that both know.

    Predicts what `fann_run` does; scaling that the file may hold is left to the caller, as it is there.
    """
    lines = Path(path).read_text(encoding="ascii", errors="replace").splitlines()
    if not lines or not lines[0].startswith("FANN_FLO"):
        raise ValueError(f"from_fann: {path} is not a FANN file of floating point (FANN_FLO_2.x)")
    fields = dict(line.split("=", 1) for line in lines[1:] if "=" in line)
    by_name = {name.split(" (")[0]: value for name, value in fields.items()}
    try:
        sizes = [int(one) for one in by_name["layer_sizes"].split()]
        neurons = _tuples(_after(by_name["neurons"]))
        connections = _tuples(_after(by_name["connections"]))
    except (KeyError, ValueError, IndexError) as error:
        raise ValueError(f"from_fann: {path} has no usable layer_sizes, neurons and connections ({error})") from error
    weights, activations, first, place = [], [], 0, 0
    for inputs, units in zip(sizes, sizes[1:]):
        w, b, activation = _fann_layer(path, neurons[first + inputs :][:units], connections[place:], first, inputs)
        weights.append((w, b))
        activations.append(activation)
        first, place = first + inputs, place + w.size + b.size
    return _model_of(weights, activations)


def _after(text: str) -> str:
    """Behind the description in the name of "neurons (num_inputs, ...)=(...)", which has no "=" of its own."""
    return text[text.index("(") :]


def _tuples(text: str) -> list[tuple[float, ...]]:
    return [tuple(float(one) for one in part.split(",")) for part in text.strip("() ").split(") (")]


def _fann_layer(
    path: Any, neurons: list[tuple[float, ...]], connections: list[tuple[float, ...]], first: int, inputs: int
) -> tuple[np.ndarray, np.ndarray, str]:
    """Weights (units, inputs), biases and activation of the layer over `inputs` neurons from number `first` on."""
    units = [one for one in neurons if one[0] > 0]  # the bias neuron has no inputs
    rows, at = [], 0
    for count, _, _ in units:
        row = connections[at : at + int(count)]
        at += int(count)
        if [int(source) for source, _ in row] != list(range(first, first + inputs)):
            raise ValueError(f"from_fann: {path} is not fully connected layer by layer")
        rows.append([weight for _, weight in row])
    kinds = {int(kind) for _, kind, _ in units}
    if len(kinds) != 1 or (kind := kinds.pop()) not in FANN_ACTIVATIONS:
        known = ", ".join(f"{number} ({name})" for number, (name, _) in FANN_ACTIVATIONS.items())
        raise ValueError(
            f"from_fann: {path} has activations {sorted(kinds) or kind}; Tulle has one a layer, of {known}"
        )
    name, factor = FANN_ACTIVATIONS[kind]
    steepness = np.array([[factor * one] for _, _, one in units])
    matrix = np.array(rows) * steepness
    return matrix[:, :-1], matrix[:, -1], name


def _model(model: Any) -> Any:
    return getattr(model, "model_", model)


def to_onnx(model: Any, path: Any = None) -> Any:
    """The `onnx.ModelProto` that predicts what a model, or a fitted estimator, does; written to `path` if there is one.

    Its input "x" is (rows, inputs) of the model's precision: numbers in their own units, categories as indices of
    levels, NaN where missing. Its output "y" has the columns of `Session.predict`.
    """
    from tulle._onnx import onnx_of

    made = onnx_of(_model(model))
    if path is not None:
        Path(path).write_bytes(made.SerializeToString())
    return made


def to_torch(model: Any) -> Any:
    """The `nn.Sequential` that predicts what a model, or a fitted estimator, does; of x as in `to_onnx`.

    Its parameters may be trained further. Of two classes it gives both probabilities.
    """
    from tulle._torch import torch_of

    return torch_of(_model(model))
