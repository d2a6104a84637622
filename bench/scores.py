#!/usr/bin/env python3
"""The estimators' test scores on ten problems beside those of scikit-learn's MLPs.

    pip install . scikit-learn && python bench/scores.py --data FOLDER

Each seed splits the rows anew, a quarter for the test, and standardises inputs and numbers to predict by the others.
All get the same rows and are as they are by default: recipe="sklearn", which is to score what scikit-learn does, and
the library's own. Scores are accuracy or R^2: medians, and the range over seeds.
"""

import argparse
import pathlib
import statistics
import sys
import time
import warnings

import numpy as np
import sklearn
import sklearn.neural_network
from compare import put_between_markers
from fit_cases import named
from sklearn import datasets
from sklearn.model_selection import train_test_split

import tulle

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARKERS = "<!-- scores:begin -->", "<!-- scores:end -->"
LARGE = 6000  # rows that are taken of a larger table


def problems(folder):
    """Name, task, x, y."""
    for name in ("iris", "wine", "breast_cancer", "digits"):
        yield name, "classification", *getattr(datasets, f"load_{name}")(return_X_y=True)
    yield "diabetes", "regression", *datasets.load_diabetes(return_X_y=True)
    yield "friedman1", "regression", *datasets.make_friedman1(1000, noise=1, random_state=0)
    yield "moons", "classification", *datasets.make_moons(1000, noise=0.3, random_state=0)
    yield (
        "classification",
        "classification",
        *datasets.make_classification(2000, n_informative=8, n_classes=3, flip_y=0.05, random_state=0),
    )
    yield "california", "regression", *named(folder, "california")
    yield "letter", "classification", *named(folder, "letter")


def split(x, y, task, seed):
    """Train and test rows, standardised by the former."""
    if len(x) > LARGE:
        chosen = np.random.default_rng(seed).choice(len(x), LARGE, replace=False)
        x, y = x[chosen], y[chosen]
    stratify = y if task == "classification" else None
    x, x_test, y, y_test = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=stratify)
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-12
    if task == "regression":
        y, y_test = (y - y.mean()) / y.std(), (y_test - y.mean()) / y.std()
    return (x - mean) / scale, y, (x_test - mean) / scale, y_test


def contenders(recipes):
    """Name, module and settings of each."""
    yield "scikit-learn", sklearn.neural_network, {}
    for recipe in ("sklearn", *recipes):
        yield recipe, tulle, {"recipe": recipe, "n_threads": 1}


def scores_of(problem, seeds, recipes):
    """By contender: a score for each seed."""
    name, task, x, y = problem
    scores = {}
    for seed in range(seeds):
        x_train, y_train, x_test, y_test = split(x, y, task, seed)
        for who, module, settings in contenders(recipes):
            kind = module.MLPClassifier if task == "classification" else module.MLPRegressor
            began = time.perf_counter()
            model = kind(random_state=seed, **settings).fit(x_train, y_train)
            scores.setdefault(who, []).append(model.score(x_test, y_test))
            taken = time.perf_counter() - began
            print(f"{name} {seed} {who} {scores[who][-1]:.4f} {taken:.2f} s", file=sys.stderr, flush=True)
    return scores


def document(table, seeds):
    names = list(next(iter(table.values())))
    lines = [
        f"Tulle {tulle.__version__}, scikit-learn {sklearn.__version__}; {seeds} seeds of `bench/scores.py`. Medians, "
        "the range over seeds, and in brackets the median over seeds of the difference to scikit-learn's.\n",
        "| | " + " | ".join(names) + " |\n|---|" + "---:|" * len(names),
    ]
    for problem, scores in table.items():
        cells = []
        for who in names:
            ours, theirs = scores[who], scores["scikit-learn"]
            cell = f"{statistics.median(ours):.3f}, {min(ours):.3f} to {max(ours):.3f}"
            if who != "scikit-learn":
                cell += f" ({statistics.median(a - b for a, b in zip(ours, theirs)):+.3f})"
            cells.append(cell)
        lines.append(f"| {problem} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=pathlib.Path, default=ROOT / "data", help="where the tables are [data]")
    parser.add_argument("--seeds", type=int, default=7, help="[7]")
    parser.add_argument("--recipes", default="tabular", help="of the library's own, by commas [tabular]")
    parser.add_argument("--output", type=pathlib.Path, help="the page that gets the table, between its markers")
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    table = {
        problem[0]: scores_of(problem, options.seeds, options.recipes.split(",")) for problem in problems(options.data)
    }
    text = document(table, options.seeds)
    print(text)
    if options.output:
        put_between_markers(options.output, text, *MARKERS)


if __name__ == "__main__":
    main()
