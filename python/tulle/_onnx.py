"""A model as an ONNX graph."""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from tulle._lowering import Category, Lowered

OPSET = 17
TYPES = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.float64): TensorProto.DOUBLE}


class Graph:
    """Nodes and constants, named as they come."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, value: Any, dtype: Any = None) -> str:
        """The name of a constant."""
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.array(value, dtype=dtype), name))
        return name

    def __call__(self, op: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node; the name of its output."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, list(inputs), [name], **attributes))
        return name

    def cast(self, value: str, dtype: Any) -> str:
        """The value in another type."""
        return self("Cast", value, to=TYPES[np.dtype(dtype)])


def onnx_of(model: Any) -> Any:
    """The ModelProto."""
    lowered, g = Lowered(model), Graph()
    x = _first_inputs(g, lowered)
    y = _link(g, lowered, _layers(g, lowered, x))
    g.nodes.append(helper.make_node("Cast", [y], ["y"], to=TYPES[lowered.precision]))
    kind = TYPES[lowered.precision]
    graph = helper.make_graph(
        g.nodes,
        "tulle",
        [helper.make_tensor_value_info("x", kind, ["rows", len(lowered.inputs)])],
        [helper.make_tensor_value_info("y", kind, ["rows", model.info()["prediction_count"]])],
        g.constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="tulle")
    made.ir_version = 8  # of that opset's time, so that older runtimes take it
    checker.check_model(made)
    return made


# --- columns ---


def _first_inputs(g: Graph, lowered: Lowered) -> str:
    """What the first layer takes, (rows, inputs), or (rows, members, inputs)."""
    parts: list[str] = []
    embedded: list[str] = []
    if len(lowered.numbers.columns):
        parts += _numbers(g, lowered)
    for one in lowered.categories:
        (parts if one.table is None else embedded).append(_category(g, one))
    vectors = []
    if parts:
        joined = g("Gather", g("Concat", *parts, axis=1), g.constant(lowered.order), axis=1)
        vectors.append(g.cast(joined, lowered.precision))
        if lowered.front["numbers"]:
            vectors.append(_vectors(g, lowered, vectors[0]))
    x = g("Concat", *vectors, *embedded, axis=1)
    if not lowered.front["factors"]:
        return x
    factors = lowered.tensors["factors"]
    if lowered.front["members"] == 1:
        return g("Mul", x, g.constant(factors))
    return g("Mul", g("Unsqueeze", x, g.constant([1])), g.constant(factors[None]))


def _numbers(g: Graph, lowered: Lowered) -> list[str]:
    """The scaled numbers, and the indicators of missing ones; in doubles."""
    n, zero = lowered.numbers, g.constant(0.0)
    v = g.cast(g("Gather", "x", g.constant(n.columns), axis=1), np.float64)
    missing = g("IsNaN", v)
    u = g("Div", g("Sub", v, g.constant(n.mean)), g.constant(n.scale))
    if n.is_robust.any():
        third = g("Div", u, g.constant(3.0))
        length = g("Sqrt", g("Add", g("Mul", third, third), g.constant(1.0)))
        u = g("Where", g.constant(n.is_robust), g("Div", u, length), u)
    for index, (knots, values) in n.quantiles.items():
        here = np.arange(len(n.columns)) == index
        u = g("Where", g.constant(here), _interpolated(g, v, index, knots, values), u)
    u = g("Where", g("Or", missing, g.constant(n.is_constant)), zero, u)
    if not lowered.indicators:
        return [u]
    return [u, g.cast(g("Gather", missing, g.constant(np.array(lowered.indicators)), axis=1), np.float64)]


def _interpolated(g: Graph, v: str, index: int, knots: np.ndarray, values: np.ndarray) -> str:
    """Linear between the knots, constant beyond them: the first value, and of each bin's rise what x has passed."""
    column = g("Gather", v, g.constant(np.array([index])), axis=1)
    if len(knots) == 1:
        return g("Add", g("Mul", column, g.constant(0.0)), g.constant(values[0]))
    share = g("Div", g("Sub", column, g.constant(knots[:-1])), g.constant(np.diff(knots)))
    share = g("Clip", share, g.constant(0.0), g.constant(1.0))
    return g("Add", g("MatMul", share, g.constant(np.diff(values)[:, None])), g.constant(values[0]))


def _category(g: Graph, one: Category) -> str:
    """Its inputs, in doubles; of an embedded one its vectors, in the precision."""
    v = g.cast(g("Gather", "x", g.constant(np.array([one.column])), axis=1), np.float64)
    level = np.arange(one.levels, dtype=np.float64)
    if one.table is not None:
        is_level = g.cast(g("Equal", v, g.constant(level)), np.float64)
        row = g("MatMul", is_level, g.constant(level[:, None] + 1))  # 0 where it is none
        index = g("Cast", g("Squeeze", row, g.constant([1])), to=TensorProto.INT64)
        return g("Gather", g.constant(one.table), index, axis=0)
    hot = g.cast(g("Equal", v, g.constant(level)), np.float64)
    if one.is_sign:
        return g("MatMul", hot, g.constant([[-1.0], [1.0]]))
    if not one.has_missing:
        return hot
    known = g("ReduceSum", hot, g.constant([1]), keepdims=1)
    return g("Concat", hot, g("Sub", g.constant(1.0), known), axis=1)


# --- front, layers, link ---


def _vectors(g: Graph, lowered: Lowered, x: str) -> str:
    """The vectors of numbers that are embedded, (rows, numbers x dimensions)."""
    front, dtype = lowered.front, lowered.precision
    numbers = g("Gather", x, g.constant(np.array(front["numbers"], dtype=np.int64)), axis=1)
    numbers = g("Unsqueeze", numbers, g.constant([2]))
    weight = g.constant(lowered.tensors["numbers.weight"])
    if front["bins"]:
        left, width = lowered.knots()
        rise = g("Sub", numbers, g.constant(left))
        share = g("Clip", g("Div", rise, g.constant(np.where(width > 0, width, 1))), *_unit(g, dtype))
        if (width <= 0).any():
            passed = g.cast(g("Greater", rise, g.constant(0, dtype)), dtype)
            share = g("Where", g.constant(width <= 0), passed, share)
        vectors = g("Einsum", share, weight, equation="rnt,ntd->rnd")
    else:
        frequency, phase = (lowered.tensors[f"numbers.{name}"] for name in ("frequency", "phase"))
        angle = g("Mul", numbers, g.constant((2 * np.pi * frequency.astype(np.float64)).astype(dtype)))
        waves = g("Cos", g("Add", angle, g.constant(phase)))
        vectors = g("Einsum", waves, weight, equation="rnf,ndf->rnd")
        vectors = g("Add", vectors, g.constant(lowered.tensors["numbers.bias"]))
    return g("Reshape", vectors, g.constant([0, len(front["numbers"]) * front["dimensions"]]))


def _unit(g: Graph, dtype: Any) -> tuple[str, str]:
    return g.constant(0, dtype), g.constant(1, dtype)


def _layers(g: Graph, lowered: Lowered, x: str) -> str:
    last = len(lowered.layers) - 1
    members = lowered.front["members"]
    for index, layer in enumerate(lowered.layers):
        weight, bias = (lowered.tensors[f"layers.{index}.{name}"] for name in ("weight", "bias"))
        if index == last and members > 1:
            z = g("Einsum", x, g.constant(weight), equation="rki,kui->rku")
        else:
            z = g("MatMul", x, g.constant(weight.T))
        z = g("Add", z, g.constant(bias))
        x = _activation(g, layer["activation"], z, lowered.precision)
        if layer["parametric"]:
            mix = g.constant(lowered.tensors[f"layers.{index}.mix"])
            x = g("Add", z, g("Mul", mix, g("Sub", x, z)))
    return g("ReduceMean", x, axes=[1], keepdims=0) if members > 1 else x


def _activation(g: Graph, name: str, z: str, dtype: Any) -> str:
    def number(value: float) -> str:
        return g.constant(value, dtype)

    simple = {
        "relu": "Relu",
        "tanh": "Tanh",
        "logistic": "Sigmoid",
        "elu": "Elu",
        "softplus": "Softplus",
        "sine": "Sin",
    }
    if name == "identity":
        return z
    if name in simple:
        return g(simple[name], z)
    if name == "leaky_relu":
        return g("LeakyRelu", z, alpha=0.01)
    if name == "selu":
        return g("Selu", z, alpha=1.6732632423543772, gamma=1.0507009873554805)
    if name == "silu":
        return g("Mul", z, g("Sigmoid", z))
    if name == "mish":
        return g("Mul", z, g("Tanh", g("Softplus", z)))
    if name == "gelu":
        share = g("Erf", g("Div", z, number(np.sqrt(2))))
    elif name == "gelu_tanh":
        cube = g("Mul", g("Mul", z, z), g("Mul", z, number(0.044715)))
        share = g("Tanh", g("Mul", g("Add", z, cube), number(np.sqrt(2 / np.pi))))
    else:
        raise ValueError(f"to_onnx does not know the activation {name!r}")
    return g("Mul", g("Mul", z, number(0.5)), g("Add", share, number(1)))


def _link(g: Graph, lowered: Lowered, x: str) -> str:
    """Predictions, in doubles."""
    x, targets = g.cast(x, np.float64), lowered.targets
    if lowered.loss == "cross_entropy":
        return g("Softmax", x, axis=1)
    if lowered.loss == "binary_cross_entropy":
        pair = g("MatMul", g("Unsqueeze", x, g.constant([2])), g.constant([[-0.5, 0.5]]))
        return g("Reshape", g("Softmax", pair, axis=2), g.constant([0, 2 * len(targets)]))
    each = max(lowered.quantiles, 1)
    mean, scale, low, high = (
        np.repeat([one[name] for one in targets], each) for name in ("mean", "scale", "min", "max")
    )
    if lowered.loss in ("poisson", "gamma"):
        y = g("Mul", g("Exp", x), g.constant(scale, np.float64))
    else:
        y = g("Add", g("Mul", x, g.constant(scale, np.float64)), g.constant(mean, np.float64))
    clamped = np.repeat([one["clamped"] for one in targets], each)
    if clamped.any():
        y = g("Max", y, g.constant(np.where(clamped, low, -np.inf)))
        y = g("Min", y, g.constant(np.where(clamped, high, np.inf)))
    return y
