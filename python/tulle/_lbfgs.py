"""solver="lbfgs": SciPy's L-BFGS-B on the loss and gradient of a whole pass, as scikit-learn calls it."""

from __future__ import annotations

import warnings
from types import SimpleNamespace
from typing import Any

import numpy as np

from tulle._compat import ConvergenceWarning
from tulle._network import Network
from tulle._sklearn_recipe import Rows


def minimize(
    estimator: Any,
    network: Network,
    data: Rows,
    settings: SimpleNamespace,
    scale: float,
    constants: np.ndarray | None,
) -> None:
    """Searches from the network's weights, and leaves it with the best ones."""
    try:
        from scipy.optimize import minimize as scipy_minimize
    except ImportError as error:
        raise ImportError("solver='lbfgs' needs SciPy: pip install scipy; or take solver='adam'") from error

    shapes = [one.shape for one in (*network.weights["coefs"], *network.weights["intercepts"])]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    layers = len(shapes) // 2

    def unpack(packed: np.ndarray) -> list[np.ndarray]:
        return [part.reshape(shape) for part, shape in zip(np.split(packed, ends[:-1]), shapes)]

    def loss_and_gradient(packed: np.ndarray) -> tuple[float, np.ndarray]:
        arrays = unpack(packed)
        network.restore([(w.T, b) for w, b in zip(arrays[:layers], arrays[layers:])])
        loss, gradients = network.trainer.gradient(data.x, data.y, data.weights)
        return scale * loss + constant, np.concatenate(
            [*(w.T.ravel() for w, _ in gradients), *(b for _, b in gradients)]
        )

    constant = 0.0 if constants is None else np.average(constants, weights=data.weights)
    start = np.concatenate([one.ravel() for ones in network.weights.values() for one in ones])
    options = {"maxfun": settings.max_fun, "maxiter": settings.max_iter, "gtol": settings.tol}
    try:
        found = scipy_minimize(loss_and_gradient, start, method="L-BFGS-B", jac=True, options=options)
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=6)
        return
    if found.status != 0:
        warnings.warn(
            f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}): {found.message}. "
            "More iterations (max_iter, max_fun) or scaled data may help.",
            ConvergenceWarning,
            stacklevel=6,
        )
    estimator.n_iter_ = min(int(found.nit), settings.max_iter)
    estimator.loss_ = float(found.fun)
    loss_and_gradient(found.x)
