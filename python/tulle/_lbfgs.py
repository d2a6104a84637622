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

    arrays = [*network.weights["coefs"], *network.weights["intercepts"]]
    start = np.concatenate([one.ravel() for one in arrays])
    ends = np.cumsum([one.size for one in arrays])
    places = [(slice(end - one.size, end), one.shape) for one, end in zip(arrays, ends)]
    layers, trainer = len(arrays) // 2, network.trainer
    network.forget()

    def loss_and_gradient(packed: np.ndarray) -> tuple[float, np.ndarray]:
        parts = [packed[place].reshape(shape) for place, shape in places]
        for layer in range(layers):
            trainer.set_parameters(layer, parts[layer].T, parts[layers + layer])
        loss, gradients = trainer.gradient(data.x, data.y, data.weights)
        packed = np.empty(len(start))
        for (by_weights, by_biases), (place, shape), (bias_place, _) in zip(gradients, places, places[layers:]):
            packed[place].reshape(shape)[:] = by_weights.T
            packed[bias_place] = by_biases
        return scale * loss + constant, packed

    constant = 0.0 if constants is None else np.average(constants, weights=data.weights)
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
