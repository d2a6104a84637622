"""Classes: from what users call them to what a network learns, and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass
class Labels:
    """The classes of a target, of one of three kinds.

    "binary" has at most two classes and one output, the probability of the second; "multiclass" an output for each
    class; "multilabel" has rows of zeros and ones, and an output for each column.
    """

    kind: str
    classes: np.ndarray

    @property
    def outputs(self) -> int:
        """Of the network."""
        return 1 if self.kind == "binary" else len(self.classes)

    def encode(self, y: np.ndarray, dtype: Any) -> np.ndarray:
        """What the network learns: (rows, 1) of the index of the class, or (rows, labels) of zeros and ones."""
        if self.kind == "multilabel":
            if y.ndim != 2 or y.shape[1] != len(self.classes):
                raise ValueError(f"y has shape {y.shape}, but the model has {len(self.classes)} labels.")
            return np.ascontiguousarray(y, dtype=dtype)
        index = np.searchsorted(self.classes, y)
        if not np.array_equal(self.classes[np.minimum(index, len(self.classes) - 1)], y):
            unknown = np.setdiff1d(y, self.classes)
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes}. 'y' has {unknown}."
            )
        return index.astype(dtype).reshape(-1, 1)

    def choose(self, probabilities: np.ndarray) -> np.ndarray:
        """What these outputs, (rows, outputs), speak for: indices of classes (rows,), or zeros and ones."""
        if self.kind == "multiclass":
            return probabilities.argmax(axis=1)
        chosen = (probabilities > 0.5).astype(int)
        return chosen if self.kind == "multilabel" else chosen[:, 0] * (len(self.classes) > 1)

    def decode(self, probabilities: np.ndarray) -> np.ndarray:
        """The same as classes."""
        chosen = self.choose(probabilities)
        return chosen if self.kind == "multilabel" else self.classes[chosen]


def labels_of(y: np.ndarray, classes: Any = None) -> Labels:
    """The classes in y, or those that are given; ValueError where y holds amounts."""
    if y.ndim == 2:
        check_multilabel(y)
        return Labels("multilabel", np.arange(y.shape[1]))
    found = unique(y) if classes is None else unique(np.asarray(classes))
    return Labels("binary" if len(found) <= 2 else "multiclass", found)


def check_multilabel(y: np.ndarray) -> None:
    """Rows of several labels are zeros and ones."""
    if y.dtype.kind not in "biuf" or not np.isin(y, (0, 1)).all():
        raise ValueError(
            "Unknown label type: multiclass-multioutput. Rows of several labels must be zeros and ones; "
            "of several targets with more classes fit one model for each."
        )


def unique(y: np.ndarray) -> np.ndarray:
    """The values in y, sorted; ValueError for amounts."""
    if y.dtype.kind == "f" and not np.array_equal(y, np.round(y)):
        raise ValueError(
            "Unknown label type: continuous. Maybe you are trying to fit a classifier, which expects discrete classes "
            "on a regression target with continuous values."
        )
    try:
        return np.unique(y)
    except TypeError as error:
        raise ValueError(
            f"Unknown label type: unknown. The classes must be of one type that can be sorted ({error})."
        ) from error


def class_weights(y: np.ndarray, labels: Labels, class_weight: Any) -> np.ndarray | None:
    """The weight of each row for its class: "balanced", or a dict from classes to weights (1 for others)."""
    if class_weight is None:
        return None
    if labels.kind == "multilabel":
        raise ValueError("class_weight is for one target; of several labels give sample_weight.")
    index = np.searchsorted(labels.classes, y)
    if isinstance(class_weight, dict):
        known = {one.item() if isinstance(one, np.generic) else one for one in labels.classes}
        if unknown := [one for one in class_weight if one not in known]:
            raise ValueError(f"class_weight has {unknown[0]!r}, which is no class of y ({list(known)}).")
        of_class = np.array([float(class_weight.get(one, 1)) for one in labels.classes.tolist()])
        if (of_class < 0).any() or not np.isfinite(of_class).all() or not of_class.any():
            raise ValueError("class_weight must have weights of 0 or more, and not 0 for all classes.")
    else:
        counts = np.bincount(index, minlength=len(labels.classes))
        of_class = len(y) / (len(labels.classes) * np.maximum(counts, 1))
    return of_class[index]
