"""A model as a PyTorch `nn.Sequential`: columns, front, linear layers and activations, link."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import nn

from tulle._lowering import Category, Lowered

ACTIVATIONS = {
    "identity": nn.Identity,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "tanh": nn.Tanh,
    "logistic": nn.Sigmoid,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "gelu_tanh": lambda: nn.GELU("tanh"),
    "softplus": nn.Softplus,
}


def torch_of(model: Any) -> nn.Sequential:
    """The modules, one after the other."""
    lowered = Lowered(model)
    modules: list[nn.Module] = [Columns(lowered)]
    if lowered.front["factors"]:
        modules.append(Factors(lowered.tensors["factors"]))
    members = lowered.front["members"]
    for index, layer in enumerate(lowered.layers):
        weight, bias = (lowered.tensors[f"layers.{index}.{name}"] for name in ("weight", "bias"))
        is_last = index == len(lowered.layers) - 1
        modules.append(MemberLinear(weight, bias) if is_last and members > 1 else _linear(weight, bias))
        activation = Sine() if layer["activation"] == "sine" else ACTIVATIONS[layer["activation"]]()
        if layer["parametric"]:
            activation = Mixed(activation, lowered.tensors[f"layers.{index}.mix"])
        if not (is_last and layer["activation"] == "identity"):
            modules.append(activation)
    if members > 1:
        modules.append(MemberMean())
    return nn.Sequential(*modules, Link(lowered)).eval()


def _tensor(array: Any) -> torch.Tensor:
    return torch.from_numpy(np.array(array))


def _linear(weight: np.ndarray, bias: np.ndarray) -> nn.Linear:
    linear = nn.Linear(weight.shape[1], weight.shape[0], dtype=_tensor(weight).dtype)
    with torch.no_grad():
        linear.weight.copy_(_tensor(weight))
        linear.bias.copy_(_tensor(bias))
    return linear


class Sine(nn.Module):
    """sin(z)"""

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return torch.sin(z)


class Mixed(nn.Module):
    """z + a (act(z) - z), with a of each unit."""

    def __init__(self, activation: nn.Module, mix: np.ndarray) -> None:
        super().__init__()
        self.activation = activation
        self.mix = nn.Parameter(_tensor(mix))

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        return z + self.mix * (self.activation(z) - z)


class Factors(nn.Module):
    """Inputs times factors: (rows, inputs), or of several members (rows, members, inputs)."""

    def __init__(self, factors: np.ndarray) -> None:
        super().__init__()
        self.factors = nn.Parameter(_tensor(factors))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.factors[0] if len(self.factors) == 1 else x[:, None] * self.factors


class MemberLinear(nn.Module):
    """The last layer, of which each member has its own: (rows, members, units)."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(_tensor(weight)), nn.Parameter(_tensor(bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.einsum("rki,kui->rku", x, self.weight) + self.bias


class MemberMean(nn.Module):
    """The mean of members."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean(dim=1)


class Columns(nn.Module):
    """Columns in their own units to what the first layer takes, with the vectors of numbers and of categories."""

    def __init__(self, lowered: Lowered) -> None:
        super().__init__()
        n = lowered.numbers
        for name in ("columns", "mean", "scale", "is_robust", "is_constant"):
            self.register_buffer(name, _tensor(getattr(n, name)))
        self.register_buffer("order", _tensor(lowered.order))
        self.register_buffer("indicators", torch.tensor(lowered.indicators, dtype=torch.int64))
        self.quantiles = {index: (_tensor(knots), _tensor(values)) for index, (knots, values) in n.quantiles.items()}
        self.categories = lowered.categories
        self.tables = nn.ParameterList(
            nn.Parameter(_tensor(one.table)) for one in lowered.categories if one.table is not None
        )
        self.dtype = torch.float64 if lowered.precision == np.float64 else torch.float32
        self.vectors = Vectors(lowered) if lowered.front["numbers"] else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.double()
        parts, embedded = self._numbers(x), []
        tables = iter(self.tables)
        for one in self.categories:
            if one.table is None:
                parts.append(self._one_hot(x[:, one.column : one.column + 1], one))
            else:
                embedded.append(self._embedded(x[:, one.column], one, next(tables)))
        base = torch.cat(parts, dim=1)[:, self.order].to(self.dtype) if parts else x[:, :0].to(self.dtype)
        vectors = [self.vectors(base)] if self.vectors is not None else []
        return torch.cat([base, *vectors, *embedded], dim=1)

    def _numbers(self, x: torch.Tensor) -> list[torch.Tensor]:
        if not len(self.columns):
            return []
        v = x[:, self.columns]
        missing = v.isnan()
        u = (v - self.mean) / self.scale
        u = torch.where(self.is_robust, u / torch.sqrt(1 + (u / 3) ** 2), u)
        columns = list(u.unbind(dim=1))
        for index, (knots, values) in self.quantiles.items():
            share = ((v[:, index : index + 1] - knots[:-1]) / knots.diff()).clip(0, 1)
            columns[index] = values[0] + share @ values.diff()
        u = torch.stack(columns, dim=1).masked_fill(missing | self.is_constant, 0.0)
        return [u, missing[:, self.indicators].double()]

    @staticmethod
    def _one_hot(v: torch.Tensor, one: Category) -> torch.Tensor:
        hot = (v == torch.arange(one.levels, device=v.device)).double()
        if one.is_sign:
            return hot[:, 1:] - hot[:, :1]
        return torch.cat([hot, 1 - hot.sum(dim=1, keepdim=True)], dim=1) if one.has_missing else hot

    @staticmethod
    def _embedded(v: torch.Tensor, one: Category, table: torch.Tensor) -> torch.Tensor:
        is_level = (v >= 0) & (v < one.levels) & (v == v.floor())
        return table[torch.where(is_level, v + 1, torch.zeros_like(v)).long()]


class Vectors(nn.Module):
    """What numbers are embedded as: waves or splines."""

    def __init__(self, lowered: Lowered) -> None:
        super().__init__()
        self.register_buffer("numbers", torch.tensor(lowered.front["numbers"], dtype=torch.int64))
        self.weight = nn.Parameter(_tensor(lowered.tensors["numbers.weight"]))
        self.has_bins = bool(lowered.front["bins"])
        if self.has_bins:
            left, width = lowered.knots()
            self.register_buffer("left", _tensor(left))
            self.register_buffer("width", _tensor(width))
        else:
            for name in ("frequency", "phase", "bias"):
                setattr(self, name, nn.Parameter(_tensor(lowered.tensors[f"numbers.{name}"])))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, self.numbers, None]
        if self.has_bins:
            rise = x - self.left
            share = torch.where(self.width > 0, (rise / self.width).clip(0, 1), (rise > 0).to(x.dtype))
            vectors = torch.einsum("rnt,ntd->rnd", share, self.weight)
        else:
            waves = torch.cos(2 * torch.pi * self.frequency * x + self.phase)
            vectors = torch.einsum("rnf,ndf->rnd", waves, self.weight) + self.bias
        return vectors.flatten(1)


class Link(nn.Module):
    """The last layer's outputs to predictions, in the targets' units or as probabilities."""

    def __init__(self, lowered: Lowered) -> None:
        super().__init__()
        self.loss = lowered.loss
        if "cross_entropy" in self.loss:
            return
        each = max(lowered.quantiles, 1)
        for name in ("mean", "scale", "min", "max", "clamped"):
            values = np.repeat([one[name] for one in lowered.targets], each)
            self.register_buffer(name, _tensor(values if name == "clamped" else values.astype(np.float64)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        dtype, x = x.dtype, x.double()
        if self.loss == "cross_entropy":
            y = x.softmax(dim=1)
        elif self.loss == "binary_cross_entropy":
            y = torch.stack([torch.sigmoid(-x), torch.sigmoid(x)], dim=2).flatten(1)
        else:
            y = torch.exp(x) * self.scale if self.loss in ("poisson", "gamma") else x * self.scale + self.mean
            y = torch.where(self.clamped, torch.minimum(torch.maximum(y, self.min), self.max), y)
        return y.to(dtype)
