"""solver="lbfgs": SciPy's L-BFGS-B on the loss and gradient of a whole pass, as scikit-learn calls it."""

from __future__ import annotations

import contextlib
import warnings
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np

from tulle._compat import ConvergenceWarning
from tulle._network import Network
from tulle._progress import Progress
from tulle._sklearn_recipe import Rows


@lru_cache(maxsize=1)
def _blas_controller() -> Any:
    """What sets the threads of the BLAS that SciPy has, if that can be had: scikit-learn comes with it."""
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    return ThreadpoolController().select(user_api="blas")


def _one_blas_thread() -> Any:
    """While the search runs: SciPy itself computes on short vectors only, and threads that wait for each other between
    them can take twenty times as long where CPUs are shared."""
    controller = _blas_controller()
    return contextlib.nullcontext() if controller is None else controller.limit(limits=1)


class StoppedError(Exception):
    """A callback wants no more iterations."""


class Search:
    """Where the search stands: the point `x`, all weights and then all biases, its loss and how many iterations."""

    def __init__(
        self, network: Network, data: Rows, settings: SimpleNamespace, scale: float, constants: np.ndarray | None
    ) -> None:
        self.network, self.data, self.scale = network, data, scale
        self.max_iter = settings.max_iter
        self.progress = Progress(settings.verbose, settings.callbacks)
        arrays = [*network.weights["coefs"], *network.weights["intercepts"]]
        ends = np.cumsum([one.size for one in arrays])
        self.places = [(slice(end - one.size, end), one.shape) for one, end in zip(arrays, ends)]
        self.constant = 0.0 if constants is None else np.average(constants, weights=data.weights)
        self.x, self.iterations, self.seen = np.concatenate([one.ravel() for one in arrays]), 0, 0.0
        network.forget()

    def loss_and_gradient(self, packed: np.ndarray) -> tuple[float, np.ndarray]:
        """At a point, which the network is left at."""
        parts = [packed[place].reshape(shape) for place, shape in self.places]
        layers, trainer = len(parts) // 2, self.network.trainer
        for layer in range(layers):
            trainer.set_parameters(layer, parts[layer].T, parts[layers + layer])
        loss, gradients = trainer.gradient(self.data.x, self.data.y, self.data.weights)
        packed = np.empty(len(packed))
        for (by_weights, by_biases), (place, shape), (bias_place, _) in zip(
            gradients, self.places, self.places[layers:]
        ):
            packed[place].reshape(shape)[:] = by_weights.T
            packed[bias_place] = by_biases
        self.seen = self.scale * loss + self.constant
        return self.seen, packed

    def end_iteration(self, packed: np.ndarray) -> None:
        """Takes the point that was looked at last; StoppedError if a callback says so."""
        self.x, self.iterations = packed.copy(), self.iterations + 1
        state = dict(epoch=self.iterations, epochs=self.max_iter, loss=float(self.seen))
        if self.progress(state | dict(validation_loss=None, validation_score=None, learning_rate=None)):
            raise StoppedError


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

    search = Search(network, data, settings, scale, constants)
    options = {"maxfun": settings.max_fun, "maxiter": settings.max_iter, "gtol": settings.tol}
    arguments: dict[str, Any] = dict(method="L-BFGS-B", jac=True, options=options, callback=search.end_iteration)
    try:
        with _one_blas_thread():
            found = scipy_minimize(search.loss_and_gradient, search.x, **arguments)
        search.x, search.iterations = found.x, min(int(found.nit), settings.max_iter)
        if found.status != 0:
            warnings.warn(
                f"lbfgs failed to converge after {found.nit} iteration(s) (status={found.status}): {found.message}. "
                "More iterations (max_iter, max_fun) or scaled data may help.",
                ConvergenceWarning,
                stacklevel=6,
            )
    except StoppedError:
        pass
    except KeyboardInterrupt:
        warnings.warn("Training interrupted by user.", stacklevel=6)
    search.progress.end()
    estimator.n_iter_ = search.iterations
    estimator.loss_ = float(search.loss_and_gradient(search.x)[0])
