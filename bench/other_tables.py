#!/usr/bin/env python3
"""The recipes on tables that no setting of theirs was chosen by, beside scikit-learn.

    cmake --build build && PYTHON bench/other_tables.py

PYTHON has scikit-learn, whose own and made tables these are, split once at random in 64, 16 and
20 %. Each run is `tulle train TABLE.csv --target y --split-column split --recipe R --seed S`;
scikit-learn's models are as they are, fitted to the train and valid rows. Each score is the median
of three seeds. The page gets the table, between its markers.
"""

import argparse
import csv
import pathlib
import statistics
import sys
import tempfile
import warnings

import numpy as np
import sklearn
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from compare import put_between_markers
from quality import ROOT, run_json, say, table

MARKERS = "<!-- other tables:begin -->", "<!-- other tables:end -->"
RECIPES = ("tabular", "ensemble", "realmlp", "plain")
SEEDS = range(3)


def load(name, **options):
    return lambda: getattr(datasets, f"load_{name}")(return_X_y=True, **options)


def make(name, *size, **options):
    return lambda: getattr(datasets, f"make_{name}")(*size, random_state=0, **options)


# What makes (x, y), and whether y is a class.
TABLES = {
    "diabetes": (load("diabetes", scaled=False), False),
    "friedman1": (make("friedman1", 5000, 15, noise=1.0), False),
    "friedman2": (make("friedman2", 1500, noise=60), False),
    "breast cancer": (load("breast_cancer"), True),
    "wine": (load("wine"), True),
    "digits": (load("digits"), True),
    "4 classes, made": (make("classification", 6000, 20, n_informative=6, n_redundant=4,
                             n_classes=4, flip_y=0.05, class_sep=0.8), True),
    "moons": (make("moons", 600, noise=0.25), True),
}  # fmt: skip


def split_rows(count, rng):
    order, splits = rng.permutation(count), np.full(count, "train", dtype=object)
    splits[order[: count // 5]] = "test"
    splits[order[count // 5 : count // 5 + int(0.16 * count)]] = "valid"
    return splits


def write_table(path, x, y, splits):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"x{i}" for i in range(x.shape[1])] + ["y", "split"])
        for row, target, split in zip(x, y, splits):
            writer.writerow([f"{value:.7g}" for value in row] + [target, split])


def score_tulle(tulle, path, recipe, seed):
    command = [tulle, "train", path, "--target", "y", "--split-column", "split"]
    command += ["--recipe", recipe, "--seed", seed, "--json", "--quiet"]
    result, _ = run_json([*command, "--output", path.with_suffix(".tulle")])
    metrics = result["metrics"]["test"]
    return metrics["accuracy" if "accuracy" in metrics else "rmse"]


def score_sklearn(model, x, y, is_test, is_class):
    """Networks want inputs and targets standardised, trees do not care."""
    train, centre, unit = ~is_test, 0, 1
    if isinstance(model, (MLPClassifier, MLPRegressor)):
        x = StandardScaler().fit(x[train]).transform(x)
        if not is_class:
            centre, unit = y[train].mean(), y[train].std()
            y = (y - centre) / unit
    predicted = model.fit(x[train], y[train]).predict(x[is_test])
    if is_class:
        return (predicted == y[is_test]).mean()
    return unit * ((predicted - y[is_test]) ** 2).mean() ** 0.5


def row_of(name, tulle, folder, rng):
    maker, is_class = TABLES[name]
    x, y = maker()
    splits = split_rows(len(y), rng)
    path = folder / f"{name.replace(' ', '_')}.csv"
    write_table(path, x, [f"c{c}" for c in y] if is_class else y, splits)
    scores = [[score_tulle(tulle, path, recipe, seed) for seed in SEEDS] for recipe in RECIPES]
    boosting = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
    network = MLPClassifier if is_class else MLPRegressor
    for model in boosting, network:
        is_test = splits == "test"
        scores.append([score_sklearn(model(random_state=s), x, y, is_test, is_class) for s in SEEDS])
    medians = [statistics.median(series) for series in scores]
    best = (max if is_class else min)(medians)
    texts = [f"{m:.3f}".lstrip("0") if is_class or m < 10 else f"{m:.1f}" for m in medians]
    texts = [f"**{text}**" if m == best else text for m, text in zip(medians, texts)]
    say(f"{name}: {' '.join(texts)}")
    return [name, f"{x.shape[0]} x {x.shape[1]}", "accuracy" if is_class else "RMSE", *texts]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add, path = parser.add_argument, pathlib.Path
    add("--tulle", type=path, default=ROOT / "build" / "tulle", help="the command [build/tulle]")
    add("--output", type=path, default=ROOT / "docs" / "quality.md", help="[docs/quality.md]")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")  # of networks that have not converged
    rng = np.random.RandomState(0)
    with tempfile.TemporaryDirectory(prefix="tulle-tables-") as folder:
        rows = [row_of(name, options.tulle, pathlib.Path(folder), rng) for name in TABLES]
    head = ["table", "rows x columns", "metric", *(f"`{recipe}`" for recipe in RECIPES)]
    head += ["HistGradientBoosting", "scikit-learn's MLP"]
    text = f"scikit-learn {sklearn.__version__}; medians of {len(SEEDS)} seeds.\n\n"
    put_between_markers(options.output, text + table(head, rows, 3), *MARKERS)


if __name__ == "__main__":
    sys.exit(main())
