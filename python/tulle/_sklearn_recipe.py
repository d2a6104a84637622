"""recipe="sklearn": scikit-learn's algorithm, step for step, on `_core.Trainer`.

What is drawn (weights, splits, orders) is drawn from the same generator in the same sequence, and losses, stopping
rules and attributes are scikit-learn's, so that in f64 two runs differ by rounding only. What scikit-learn has not -
dropout, more activations and losses, validation rows of one's own - changes nothing where it is not used.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from tulle import _core
from tulle._compat import ConvergenceWarning, check_random_state
from tulle._network import Network
from tulle._parameters import hidden_sizes, is_auto, resolved, with_settings
from tulle._progress import Progress
from tulle._split import split_rows

NOT_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


LEARNING_RATES = ("constant", "invscaling", "adaptive")


@dataclass
class Rows:
    """Rows to learn from or to be measured on: x (rows, inputs), y as the network learns it, weights or None."""

    x: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None

    def take(self, index: np.ndarray) -> Rows:
        """Some of them."""
        return Rows(self.x[index], self.y[index], None if self.weights is None else self.weights[index])


class LearningRate:
    """The learning rate of plain gradient descent from epoch to epoch; Adam's stays what it is."""

    def __init__(self, settings: SimpleNamespace) -> None:
        self.initial = self.learning_rate = float(settings.learning_rate_init)
        self.schedule = settings.learning_rate if settings.solver != "adam" else "constant"
        self.power_t = settings.power_t

    def end_epoch(self, samples: int) -> None:
        """After an epoch; `samples` were seen so far."""
        if self.schedule == "invscaling":
            self.learning_rate = self.initial / (samples + 1) ** self.power_t

    def stop(self) -> str:
        """No improvement: why training ends, or "" if it goes on with a smaller rate."""
        if self.schedule != "adaptive":
            return "Stopping."
        if self.learning_rate <= 1e-6:
            return "Learning rate too small. Stopping."
        self.learning_rate /= 5.0
        return ""


def network_options(settings: SimpleNamespace, loss: str, dtype: np.dtype, batch_size: int) -> dict[str, Any]:
    """Of a trainer that takes scikit-learn's steps."""
    solver = settings.solver
    if solver == "sgd" and settings.nesterovs_momentum:
        solver = "nesterov"
    options = dict(
        loss=loss,
        optimizer="adam" if solver == "lbfgs" else solver,
        precision="f64" if dtype == np.float64 else "f32",
        learning_rate=float(settings.learning_rate_init),
        batch_size=batch_size,
        threads=settings.n_threads or 0,
        momentum=settings.momentum if solver in ("sgd", "nesterov") else 0,
        beta1=settings.beta_1,
        beta2=settings.beta_2,
        epsilon=settings.epsilon,
        penalty=settings.alpha,
        dialect="sklearn",
        seed=0,  # of dropout
    )
    if loss == "quantile":
        options["quantiles"] = quantiles_of(settings)
    return with_settings(options, settings.settings)


def quantiles_of(settings: SimpleNamespace) -> list[float]:
    """The quantiles of the loss of that name, by default the median."""
    quantile = 0.5 if settings.quantile is None else settings.quantile
    return [float(q) for q in quantile] if np.iterable(quantile) else [float(quantile)]


def network_layers(settings: SimpleNamespace, outputs: int) -> list[tuple[int, str, float]]:
    """Hidden layers and the last one, whose activation is part of the loss."""
    hidden = [(units, settings.activation, settings.dropout) for units in hidden_sizes(settings.hidden_layer_sizes)]
    return [*hidden, (outputs, "identity", 0.0)]


def draw_weights(network: Network, generator: np.random.RandomState, units: list[int], activation: str) -> None:
    """Glorot and Bengio's uniform weights, and biases of the same width."""
    coefs, intercepts = [], []
    for inputs, outputs in zip(units, units[1:]):
        bound = np.sqrt((2.0 if activation == "logistic" else 6.0) / (inputs + outputs))
        coefs.append(generator.uniform(-bound, bound, (inputs, outputs)).astype(network.dtype, copy=False))
        intercepts.append(generator.uniform(-bound, bound, outputs).astype(network.dtype, copy=False))
    network.assign("coefs", coefs)
    network.assign("intercepts", intercepts)


def loss_scale(loss: str, outputs: int) -> float:
    """scikit-learn's loss is so many times the library's: half the squared error, and sums over outputs of others."""
    if loss == "mse":
        return 0.5
    return float(outputs) if loss in ("poisson", "binary_cross_entropy") else 1.0


def constants_of(loss: str, y: np.ndarray) -> np.ndarray | None:
    """What scikit-learn's loss of each row has besides, which no weight depends on; None if there is nothing."""
    if loss != "poisson":
        return None
    return np.sum(y * np.log(np.where(y > 0, y, 1)) - y, axis=1)


def batch_shares(weights: np.ndarray | None, order: np.ndarray, batch_size: int) -> np.ndarray | None:
    """How much each row of an order counts in the mean over an epoch: within its batch as much as its weight says."""
    if weights is None:
        return None
    starts = np.arange(0, len(order), batch_size)
    sums, counts = np.add.reduceat(weights[order], starts), np.diff(starts, append=len(order))
    factors = np.divide(counts, sums, out=np.zeros(len(sums)), where=sums > 0)
    return weights[order] * np.repeat(factors, counts)


def begins_anew(estimator: Any, incremental: bool) -> bool:
    """Whether this call draws new weights."""
    return estimator._network is None or not (estimator.warm_start or incremental)


def fit(
    estimator: Any, data: Rows, held: Rows | None, loss: str, outputs: int, dtype: np.dtype, incremental: bool
) -> None:
    """One call of fit or partial_fit. `held` are the caller's own validation rows."""
    settings = resolved(estimator)
    if held is not None and is_auto(estimator.early_stopping):
        settings.early_stopping = True
    if settings.solver == "lbfgs" and is_auto(estimator.precision):
        dtype = np.dtype(np.float64)  # a line search needs the digits
    check_together(settings, held)
    generator = check_random_state(settings.random_state)
    is_first = begins_anew(estimator, incremental)
    if is_first:
        begin(estimator, settings, dtype)
    if incremental and settings.early_stopping:
        raise ValueError("partial_fit does not support early_stopping=True")
    network, inputs = estimator._network, data.x.shape[1]
    estimator.n_outputs_ = outputs if loss != "quantile" else data.y.shape[1]
    layers = network_layers(settings, outputs)
    batch_size = batch_size_of(settings, len(data.x))
    options = network_options(settings, loss, network.dtype, batch_size)
    if is_first:
        draw_weights(network, generator, [inputs, *(units for units, *_ in layers)], settings.activation)
        estimator.n_layers_ = len(layers) + 1
    if settings.solver == "lbfgs":
        from tulle._lbfgs import minimize

        network.build(inputs, layers, options | {"batch_size": len(data.x)})
        minimize(estimator, network, data, settings, loss_scale(loss, outputs), constants_of(loss, data.y))
        if not network.is_finite():
            raise ValueError(NOT_FINITE)
        return
    go_on_with_epochs(estimator, settings)
    if incremental and network.trainer is not None:
        network.adapt(layers, options)
    else:
        network.build(inputs, layers, options | {"seed": seed_of(generator)})
        estimator._optimizer = LearningRate(settings)
    Fit(estimator, settings, data, held, generator, loss, incremental).run(batch_size)


def seed_of(generator: np.random.RandomState) -> int:
    """Of dropout: told by where the generator stands, which it does not change."""
    _, words, position, *_ = generator.get_state()
    return (int(words[0]) + int(position)) % 2**32


def adopt(estimator: Any, coefs: list[np.ndarray], intercepts: list[np.ndarray], loss: str) -> None:
    """Gives an estimator weights from elsewhere, to predict with and to go on from."""
    settings = resolved(estimator)
    network = estimator._network = Network(coefs[0].dtype)
    network.assign("coefs", coefs)
    network.assign("intercepts", intercepts)
    layers = network_layers(settings, coefs[-1].shape[1])
    options = network_options(settings, loss, network.dtype, 200)
    network.build(coefs[0].shape[0], layers, options)
    estimator._optimizer = LearningRate(settings)


def check_together(settings: SimpleNamespace, held: Rows | None) -> None:
    """What the other recipes have, or other solvers, is not passed over in silence."""
    if settings.learning_rate not in LEARNING_RATES:
        raise ValueError(
            f"learning_rate={settings.learning_rate!r} needs another recipe, such as 'plain'; 'sklearn' has "
            f"{', '.join(repr(name) for name in LEARNING_RATES)}"
        )
    if settings.solver == "lbfgs" and (held is not None or settings.dropout > 0):
        what = "dropout" if held is None else "validation_data"
        raise ValueError(f"{what} needs another solver: 'lbfgs' takes all rows at once, as they are")


def begin(estimator: Any, settings: SimpleNamespace, dtype: np.dtype) -> None:
    """The attributes of a first fit."""
    estimator._network = Network(dtype)
    estimator.n_iter_ = estimator.t_ = 0
    forget_epochs(estimator)


def no_epochs() -> dict[str, Any]:
    """The attributes that epochs add to, before the first one."""
    return dict(loss_curve_=[], validation_curve_=[], validation_scores_=None, best_validation_score_=None,
                best_loss_=None, _no_improvement_count=0)  # fmt: skip


def forget_epochs(estimator: Any) -> None:
    """Those of an earlier fit are no longer true."""
    for name in (*no_epochs(), "best_iteration_"):
        vars(estimator).pop(name, None)


def go_on_with_epochs(estimator: Any, settings: SimpleNamespace) -> None:
    """Fills in what is missing: early stopping, or all of them, may be new to this estimator."""
    for name, value in no_epochs().items():
        vars(estimator).setdefault(name, value)
    if not settings.early_stopping:
        estimator.best_loss_ = np.inf if estimator.best_loss_ is None else estimator.best_loss_
    elif estimator.validation_scores_ is None:
        estimator.validation_scores_, estimator.best_validation_score_, estimator.best_loss_ = [], -np.inf, None


def batch_size_of(settings: SimpleNamespace, rows: int) -> int:
    """Rows a step: 200 by default, and never more than there are."""
    if settings.batch_size is None or is_auto(settings.batch_size):
        return min(200, rows)
    if settings.batch_size > rows:
        warnings.warn(
            "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=5
        )
    return min(int(settings.batch_size), rows)


class Fit:
    """The epochs of one call of fit or partial_fit."""

    def __init__(
        self,
        estimator: Any,
        settings: SimpleNamespace,
        data: Rows,
        held: Rows | None,
        generator: np.random.RandomState,
        loss: str,
        incremental: bool,
    ) -> None:
        self.estimator, self.settings, self.generator = estimator, settings, generator
        self.network: Network = estimator._network
        self.scale = loss_scale(loss, estimator.n_outputs_)
        self.incremental = incremental
        self.data, self.held = data, held
        self.best: Any = None
        self.order = np.arange(len(data.x), dtype=np.intp)
        self.progress = Progress(settings.verbose, settings.callbacks)
        if settings.early_stopping:
            self._hold_back()
        self.constants = constants_of(loss, self.data.y)

    def _hold_back(self) -> None:
        if self.held is None:
            classes = self.estimator._classes_to_stratify(self.data.y)
            train, valid = split_rows(len(self.data.x), self.settings.validation_fraction, self.generator, classes)
            if len(valid) < 2:
                raise ValueError(
                    "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
                )
            self.data, self.held = self.data.take(train), self.data.take(valid)
            self.order = np.arange(len(train), dtype=np.intp)
        self.best = self.network.snapshot()

    def run(self, batch_size: int) -> None:
        """Epochs until one of the rules says stop."""
        estimator, settings = self.estimator, self.settings
        message = warning = ""
        category: type[Warning] = UserWarning
        estimator.n_iter_ = 0
        try:
            while not message and estimator.n_iter_ < settings.max_iter:
                message = self._epoch(min(batch_size, len(self.order)))
            if not message:
                warning = f"Stochastic Optimizer: Maximum iterations ({settings.max_iter}) "
                warning += "reached and the optimization hasn't converged yet."
                category = ConvergenceWarning
        except KeyboardInterrupt:
            warning = "Training interrupted by user."
        self.progress.end("" if message == "partial_fit" else message)
        if warning:
            warnings.warn(warning, category, stacklevel=6)
        if settings.early_stopping:
            self.network.restore(self.best)
        elif estimator.loss_curve_ and np.isnan(estimator.loss_):
            raise ValueError(NOT_FINITE)
        if not self.network.is_finite():
            raise ValueError(NOT_FINITE)

    def _epoch(self, batch_size: int) -> str:
        """One epoch; why training ends after it, or ""."""
        estimator, settings, rate = self.estimator, self.settings, self.estimator._optimizer
        if settings.shuffle:
            drawn = np.arange(len(self.order))
            self.generator.shuffle(drawn)
            self.order = self.order[drawn]
        self.network.forget()
        self.network.trainer.set_learning_rate(rate.learning_rate)
        try:
            estimator.loss_ = self._learn(batch_size)
        except _core.DivergedError:
            estimator.loss_ = float("nan")
        estimator.n_iter_ += 1
        estimator.t_ += len(self.order)
        estimator.loss_curve_.append(estimator.loss_)
        state = dict(epoch=estimator.n_iter_, epochs=settings.max_iter, loss=estimator.loss_)
        state |= dict(validation_loss=None, validation_score=None, learning_rate=rate.learning_rate)
        self._measure(state)
        is_asked_to_stop = self.progress(state)
        rate.end_epoch(estimator.t_)
        if is_asked_to_stop:
            return "Stopped by a callback."
        if np.isnan(estimator.loss_):
            return "The loss is not a number. Stopping."
        if estimator._no_improvement_count > settings.n_iter_no_change:
            what = "Validation score" if settings.early_stopping else "Training loss"
            if reason := rate.stop():
                return (
                    f"{what} did not improve more than tol={settings.tol:f} for {settings.n_iter_no_change} "
                    f"consecutive epochs. {reason}"
                )
            estimator._no_improvement_count = 0
        return "partial_fit" if self.incremental else ""

    def _learn(self, batch_size: int) -> float:
        """Takes all steps of an epoch; the mean loss before each, with its penalty, as scikit-learn counts it."""
        data = self.data
        loss = self.scale * self.network.trainer.epoch(data.x, data.y, self.order, data.weights)
        if self.constants is None:
            return float(loss)
        shares = batch_shares(data.weights, self.order, batch_size)
        return float(loss + np.average(self.constants[self.order], weights=shares))

    def _measure(self, state: dict[str, Any]) -> None:
        """Loss and score of the validation rows, and how long nothing improved."""
        estimator, settings, held = self.estimator, self.settings, self.held
        if held is not None:
            outputs = self.network.outputs(held.x)
            state["validation_loss"] = self.scale * float(self.network.trainer.loss(held.x, held.y))
            estimator.validation_curve_.append(state["validation_loss"])
        if held is None or not settings.early_stopping:
            if estimator.loss_ > estimator.best_loss_ - settings.tol:
                estimator._no_improvement_count += 1
            else:
                estimator._no_improvement_count = 0
            if estimator.loss_ < estimator.best_loss_:
                estimator.best_loss_, estimator.best_iteration_ = estimator.loss_, len(estimator.loss_curve_)
            return
        score = float(estimator._score_outputs(outputs, held.y, held.weights))
        state["validation_score"] = score
        estimator.validation_scores_.append(score)
        if score < estimator.best_validation_score_ + settings.tol:
            estimator._no_improvement_count += 1
        else:
            estimator._no_improvement_count = 0
        if score > estimator.best_validation_score_:
            estimator.best_validation_score_ = score
            estimator.best_iteration_ = len(estimator.validation_scores_)
            self.best = self.network.snapshot()
