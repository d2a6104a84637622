"""Scores that training itself needs: those of scikit-learn by name and value, without it."""

from __future__ import annotations

from typing import Any

import numpy as np


def r2_score(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The coefficient of determination, averaged over targets; of a constant target 1 if it is met, else 0."""
    y = np.asarray(y, dtype=np.float64).reshape(len(y), -1)
    predicted = np.asarray(predicted, dtype=np.float64).reshape(len(y), -1)
    if len(y) < 2:
        return float("nan")
    weight = np.ones((len(y), 1)) if weights is None else np.asarray(weights, dtype=np.float64)[:, None]
    left = (weight * (y - predicted) ** 2).sum(axis=0)
    whole = (weight * (y - np.average(y, axis=0, weights=weight[:, 0])) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        scores = np.where(whole != 0, 1 - left / whole, np.where(left != 0, 0.0, 1.0))
    return float(scores.mean())


def middle(predicted: np.ndarray, y: Any) -> np.ndarray:
    """Predictions of the shape of y: of several quantiles the middle one."""
    each = predicted.reshape(*np.shape(y), -1)
    return each[..., each.shape[-1] // 2]


def accuracy_score(y: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None) -> float:
    """The share of rows that are right; of several labels, in all of them."""
    right = np.asarray(y) == np.asarray(predicted)
    if right.ndim > 1:
        right = right.all(axis=1)
    return float(np.average(right, weights=weights))
