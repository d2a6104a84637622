"""How a model predicts, as arrays: what docs/format.md says of columns and front, ready for ONNX and PyTorch."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from tulle._model_file import contents


@dataclass
class Numbers:
    """The numeric columns: where they are among x's, and how they are scaled."""

    columns: np.ndarray
    mean: np.ndarray
    scale: np.ndarray
    is_robust: np.ndarray  # of each
    is_constant: np.ndarray  # 0 whatever the value
    quantiles: dict[int, tuple[np.ndarray, np.ndarray]]  # of the i-th: distinct quantiles, and their normal deviates


@dataclass
class Category:
    """A column of a category."""

    column: int
    levels: int
    table: np.ndarray | None  # (levels + 1, dimensions) of one that is embedded
    is_sign: bool  # -1 and 1
    has_missing: bool


class Lowered:
    """A model's parts.

    The first layer's inputs are those of all numbers, of their indicators of missing values and of the categories that
    are not embedded, put in `order`; then the numbers' vectors, and the embedded categories'.
    """

    def __init__(self, model: Any) -> None:
        self.description, self.tensors = contents(model)
        self.precision = np.dtype(np.float64 if self.description["precision"] == "f64" else np.float32)
        self.front = self.description["front"]
        self.loss = self.description["training"]["loss"]
        self.quantiles = len(self.description["training"]["quantiles"])
        self.inputs, self.targets = self.description["inputs"], self.description["targets"]
        self.layers = self.description["layers"]
        self._read_columns()

    def _read_columns(self) -> None:
        numeric = [i for i, one in enumerate(self.inputs) if "levels" not in one]
        self.numbers = self._numbers(numeric)
        self.indicators = [i for i, column in enumerate(numeric) if self.inputs[column]["missing"]]
        self.categories = [self._category(i) for i, one in enumerate(self.inputs) if "levels" in one]
        embedded = [one for one in self.categories if one.table is not None]
        for index, one in enumerate(embedded):
            one.table = self.tensors[f"embeddings.{index}.weight"]
        self.order = self._order(numeric)

    def _numbers(self, columns: list[int]) -> Numbers:
        ones = [self.inputs[column] for column in columns]
        kinds = [one["scaling"] for one in ones]
        quantiles = {}
        for i, (column, kind) in enumerate(zip(columns, kinds)):
            if kind == "quantile":
                quantiles[i] = deviates(self.tensors[f"columns.{column}.quantiles"])
        is_plain = [kind in ("none", "quantile") for kind in kinds]
        return Numbers(
            np.array(columns, dtype=np.int64),
            np.array([0.0 if plain else one["mean"] for one, plain in zip(ones, is_plain)]),
            np.array([1.0 if plain else one["scale"] for one, plain in zip(ones, is_plain)]),
            np.array([kind == "robust" for kind in kinds], dtype=bool),
            np.array([one["scaling"] != "none" and one["min"] == one["max"] for one in ones], dtype=bool),
            quantiles,
        )

    def _category(self, column: int) -> Category:
        one = self.inputs[column]
        table = np.empty(0) if one["dimensions"] else None
        levels, missing = len(one["levels"]), one["missing"] > 0
        return Category(column, levels, table, table is None and levels == 2 and not missing, missing)

    def _order(self, numeric: list[int]) -> np.ndarray:
        """Where each input of the first layer, before all vectors, stands in (numbers, indicators, categories)."""
        indicator_of = {numeric[i]: len(numeric) + place for place, i in enumerate(self.indicators)}
        begin = len(numeric) + len(self.indicators)
        begins = {}
        for one in self.categories:
            if one.table is None:
                begins[one.column] = range(begin, begin := begin + (1 if one.is_sign else one.levels + one.has_missing))
        order: list[int] = []
        for column in range(len(self.inputs)):
            if column in begins:
                order.extend(begins[column])
            elif "levels" not in self.inputs[column]:
                order.append(numeric.index(column))
                order.extend([indicator_of[column]] if column in indicator_of else [])
        return np.array(order, dtype=np.int64)

    def knots(self) -> tuple[np.ndarray, np.ndarray]:
        """Of splines: the left knot of each bin, (numbers, bins), and the bins' widths, in the precision."""
        knots = self.tensors["numbers.knots"].astype(self.precision)
        return knots[:, :-1], np.diff(knots, axis=1)


def deviates(quantiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct quantiles, and the standard normal deviates of their shares."""
    count = len(quantiles)
    if count == 1:
        return quantiles.astype(np.float64), np.zeros(1)
    distinct, first, repeats = np.unique(quantiles, return_index=True, return_counts=True)
    shares = (first + (repeats - 1) / 2) / (count - 1)
    least = 1 / (4 * (count - 1))
    shares = np.clip(shares, least, 1 - least)
    return distinct, np.array([NormalDist().inv_cdf(share) for share in shares])
