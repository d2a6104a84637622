#!/usr/bin/env python3
"""The notebook that Tulle comes from, in NumPy float64: inputs -> 128 -> 256 -> 1, ReLU, squared
error, mini-batch SGD, backpropagation by hand. Prints epoch,mse with 17 significant digits, as
examples/notebook does; with --compare FILE it says instead whether FILE holds the same run.

    notebook_check.py --epochs 101 >reference.csv
    build/examples/notebook --epochs 101 | notebook_check.py --epochs 101 --compare -

The trajectories in tests/reference were made with it; their names hold the options.
"""
import argparse
import csv
import sys

import numpy as np

HIDDEN = (128, 256)


def weights(outputs, inputs):
    bound = 1 / np.sqrt(inputs)
    return np.random.uniform(-bound, bound, (outputs, inputs))


def run(seed, rows, features, epochs, batch, lr, every):
    """Yields (epoch, mse over all rows) after epochs 0, every, 2 * every, ..."""
    np.random.seed(seed)
    x = np.random.rand(rows, features)
    y = np.random.rand(rows, 1)
    w1, b1 = weights(HIDDEN[0], features), np.zeros((HIDDEN[0], 1))
    w2, b2 = weights(HIDDEN[1], HIDDEN[0]), np.zeros((HIDDEN[1], 1))
    w3, b3 = weights(1, HIDDEN[1]), np.zeros((1, 1))

    def forward(s):  # s: (batch, features)
        o1 = w1 @ s.T + b1
        g1 = np.maximum(0, o1)
        o2 = w2 @ g1 + b2
        g2 = np.maximum(0, o2)
        return o1, g1, o2, g2, w3 @ g2 + b3

    for epoch in range(epochs):
        order = np.arange(rows)
        np.random.shuffle(order)
        for start in range(0, rows, batch):
            chosen = order[start : start + batch]
            s, t = x[chosen], y[chosen].T
            o1, g1, o2, g2, o3 = forward(s)
            d3 = o3 - t
            d2 = (w3.T @ d3) * (o2 >= 0)
            d1 = (w2.T @ d2) * (o1 >= 0)
            # Sums over the batch for the weights, means for the biases.
            w3 -= lr * (d3 @ g2.T)
            w2 -= lr * (d2 @ g1.T)
            w1 -= lr * (d1 @ s)
            b3 -= lr * d3.mean(axis=1, keepdims=True)
            b2 -= lr * d2.mean(axis=1, keepdims=True)
            b1 -= lr * d1.mean(axis=1, keepdims=True)
        if epoch % every == 0:
            yield epoch, np.mean((forward(x)[-1] - y.T) ** 2)


def read(file):
    reader = csv.reader(file)
    header = next(reader, None)
    if header != ["epoch", "mse"]:
        sys.exit(f"expected the header epoch,mse, got {header}")
    return [(int(epoch), float(mse)) for epoch, mse in reader]


def compare(found, expected, tolerance):
    """Exits with status 1 at the first report that differs."""
    if [epoch for epoch, _ in found] != [epoch for epoch, _ in expected]:
        sys.exit(f"the epochs differ: {len(found)} reports found, {len(expected)} expected")
    worst = 0.0
    for (epoch, mse), (_, want) in zip(found, expected):
        error = abs(mse - want) / abs(want)
        if not error <= tolerance:  # a NaN differs too
            sys.exit(f"epoch {epoch}: mse {mse:.17g}, expected {want:.17g} (relative {error:.2g})")
        worst = max(worst, error)
    print(f"{len(found)} reports agree, largest relative difference {worst:.2g}")


def main():
    parser = argparse.ArgumentParser(description="Replay the notebook in NumPy float64.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--features", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--every", type=int, default=50)
    parser.add_argument("--compare", metavar="FILE", help="a CSV of the same run; - is stdin")
    parser.add_argument("--tolerance", type=float, default=1e-9, help="relative, for --compare")
    options = vars(parser.parse_args())
    path, tolerance = options.pop("compare"), options.pop("tolerance")

    if path is not None:
        if path == "-":
            found = read(sys.stdin)
        else:
            with open(path, newline="") as file:
                found = read(file)
        compare(found, list(run(**options)), tolerance)
        return
    print("epoch,mse")
    for epoch, mse in run(**options):
        print(f"{epoch},{mse:.17g}", flush=True)


if __name__ == "__main__":
    main()
