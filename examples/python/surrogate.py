"""A simulator learned by a network, whose gradients then answer what the simulator cannot: what matters, and what to
build.

    python examples/python/surrogate.py [--quick]
"""

# %% The simulator
# The flow of water through a borehole that joins two aquifers, in cubic metres a year, from eight quantities: the
# formula of Harper and Gupta, "Sensitivity/uncertainty analysis of a borehole scenario comparing Latin hypercube
# sampling and deterministic sensitivity approaches" (BMI/ONWI-516, 1983), a common test of surrogates, with its usual
# ranges. It stands for something that takes hours and has no derivatives.
import argparse

import numpy as np

import tulle

RANGES = {
    "radius of the borehole": (0.05, 0.15),
    "radius of influence": (100, 50_000),
    "upper transmissivity": (63_070, 115_600),
    "upper head": (990, 1110),
    "lower transmissivity": (63.1, 116),
    "lower head": (700, 820),
    "length of the borehole": (1120, 1680),
    "conductivity": (9855, 12_045),
}
LOW, HIGH = np.array(list(RANGES.values())).T
SPAN = HIGH - LOW


def flow(x):
    radius, influence, upper, upper_head, lower, lower_head, length, conductivity = x.T
    log = np.log(influence / radius)
    leak = 2 * length * upper / (log * radius**2 * conductivity)
    return 2 * np.pi * upper * (upper_head - lower_head) / (log * (1 + leak + upper / lower))


# %% The surrogate
# Some thousand runs of the simulator are all that it sees. A smooth activation has smooth gradients, and float64 keeps
# their digits; the columns are scaled by the recipe, and the model undoes it.
def fitted(runs, epochs, generator):
    x = generator.uniform(LOW, HIGH, (runs, len(LOW)))
    options = dict(activation="silu", solver="adam", learning_rate_init=0.003, precision="f64")
    return tulle.MLPRegressor(recipe="plain", max_iter=epochs, random_state=0, **options).fit(x, flow(x))


# %% Its gradients
# `input_gradient` gives the derivatives of predictions by inputs, weighed by `dy`, in the units of the columns. They
# are exactly those of what the session predicts, which central differences confirm; and they are near the simulator's
# own as far as it has been learned. The simulator's, for this check alone, are the imaginary part of a tiny step off
# the real axis, which has no rounding error (Squire and Trapp, SIAM Review 40, 1998).
def gradient(session, x):
    return session.input_gradient(x, np.ones((len(x), 1)))


def central_differences(session, x, step=1e-5):
    columns = []
    for shift in np.diag(step * SPAN):
        columns.append((session.predict(x + shift) - session.predict(x - shift)) / (2 * shift.sum()))
    return np.hstack(columns)


def true_gradient(x):
    return np.stack([flow(x + 1e-30j * unit).imag / 1e-30 for unit in np.eye(len(LOW))], axis=1)


def relative_error(found, truth):
    """Of gradients by inputs whose ranges are all 1."""
    return np.sqrt(np.mean(((found - truth) * SPAN) ** 2) / np.mean((truth * SPAN) ** 2))


# %% What matters
# The mean square of the derivatives says how much each input can change the flow: derivative-based global sensitivity
# (Sobol and Kucherenko, 2009), here as shares of all.
def sensitivity(gradients):
    squares = np.mean((gradients * SPAN) ** 2, axis=0)
    return squares / squares.sum()


# %% What to build
# The ground is as it is, but radius and length of the borehole are ours: which will have the flow that is wanted?
# Each Newton step is the smallest change, in shares of the ranges, that the gradient says will do; many grounds go
# side by side.
CHOSEN = [0, 6]


def designed(session, ground, wanted, steps=20):
    x = ground.copy()
    for _ in range(steps):
        lacking = wanted - session.predict(x)[:, 0]
        slope = (gradient(session, x) * SPAN)[:, CHOSEN]
        change = slope * (lacking / np.sum(slope**2, axis=1))[:, None]
        x[:, CHOSEN] = np.clip(x[:, CHOSEN] + change * SPAN[CHOSEN], LOW[CHOSEN], HIGH[CHOSEN])
    return x


# %% A run
def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="fewer runs of the simulator")
    runs, epochs = (1500, 150) if parser.parse_args().quick else (4000, 300)
    generator = np.random.default_rng(1)
    model = fitted(runs, epochs, generator)
    session = tulle.Session(model.model_)
    x = generator.uniform(LOW, HIGH, (2000, len(LOW)))
    y = flow(x)
    error = np.sqrt(np.mean((session.predict(x)[:, 0] - y) ** 2)) / y.std()
    print(f"{runs} runs learned; on {len(x)} others the error is {100 * error:.2f} % of the flow's deviation")

    gradients, truth = gradient(session, x), true_gradient(x)
    of_itself = relative_error(gradients, central_differences(session, x))
    of_flow = relative_error(gradients, truth)
    print(
        f"gradients: {of_itself:.0e} off the surrogate's differences, {100 * of_flow:.1f} % off the simulator's own\n"
    )
    assert error < 0.02 and of_itself < 1e-6 and of_flow < 0.1

    shares, true_shares = sensitivity(gradients), sensitivity(truth)
    print("sensitivity               surrogate  simulator")
    for name, share, true_share in zip(RANGES, shares, true_shares):
        print(f"  {name:24} {100 * share:7.2f} % {100 * true_share:7.2f} %")
    assert np.abs(shares - true_shares).max() < 0.01

    ground = x.copy()  # the flow of the borehole that was there is wanted of another, so that it can be reached
    ground[:, CHOSEN] = generator.uniform(LOW, HIGH, x.shape)[:, CHOSEN]
    before = np.abs(flow(ground) / y - 1)
    missed = np.abs(flow(designed(session, ground, y)) / y - 1)
    print(f"\ndesigns for a flow that is wanted, by the simulator: {100 * np.median(missed):.2f} % off in the median,")
    print(f"{100 * np.quantile(missed, 0.95):.2f} % for one in twenty; before {100 * np.median(before):.0f} %")
    assert np.median(missed) < 0.02


if __name__ == "__main__":
    main()
