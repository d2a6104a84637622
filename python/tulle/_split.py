"""Rows for training and rows held back: the same ones that scikit-learn's train_test_split draws from a generator."""

from __future__ import annotations

import math

import numpy as np


def split_rows(
    rows: int, fraction: float, generator: np.random.RandomState, classes: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers to train on and to hold back, in the order of the draw; of each of the `classes` alike."""
    held = math.ceil(fraction * rows)
    kept = rows - held
    if fraction == 0 or kept == 0:
        raise ValueError(
            f"With n_samples={rows} and validation_fraction={fraction} one of the two sets would be empty. "
            "Adjust validation_fraction or give more rows."
        )
    if classes is None:
        shuffled = generator.permutation(rows)
        return shuffled[held:], shuffled[:held]
    return _split_classes(classes, kept, held, generator)


def _split_classes(
    classes: np.ndarray, kept: int, held: int, generator: np.random.RandomState
) -> tuple[np.ndarray, np.ndarray]:
    names, index, counts = np.unique(classes, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        few = [str(name) for name in names[counts < 2]]
        raise ValueError(
            f"The least populated classes in y have only {counts.min()} member, and rows are held back of each class: "
            f"the minimum is 2. Classes with too few members are: {few}"
        )
    for what, count in (("train", kept), ("validation", held)):
        if count < len(names):
            raise ValueError(
                f"The {what} set would have {count} rows, which is fewer than the {len(names)} classes. "
                "Adjust validation_fraction."
            )
    of_kept = _shares(counts, kept, generator)
    of_held = _shares(counts - of_kept, held, generator)
    by_class = np.split(np.argsort(index, kind="stable"), np.cumsum(counts)[:-1])
    train: list[int] = []
    valid: list[int] = []
    for rows, first, second in zip(by_class, of_kept, of_held):
        rows = rows[generator.permutation(len(rows))]
        train.extend(rows[:first])
        valid.extend(rows[first : first + second])
    return generator.permutation(train), generator.permutation(valid)


def _shares(counts: np.ndarray, draws: int, generator: np.random.RandomState) -> np.ndarray:
    """`draws` shared among classes by their counts; what rounding leaves over goes to the largest remainders, and is
    drawn where those are equal."""
    exact = counts / counts.sum() * draws
    shares = np.floor(exact)
    left = int(draws - shares.sum())
    for remainder in np.unique(exact - shares)[::-1]:
        if left <= 0:
            break
        (equal,) = np.where(exact - np.floor(exact) == remainder)
        taken = generator.choice(equal, size=min(len(equal), left), replace=False)
        shares[taken] += 1
        left -= len(taken)
    return shares.astype(int)
