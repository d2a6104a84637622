"""The library's own recipes ("tabular", "ensemble", ...): `_core.train` on a table with names, categories and gaps."""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tulle import _core
from tulle._compat import check_random_state
from tulle._parameters import HAS_AUTO, LOSSES, PARAMETERS, hidden_sizes, is_auto, with_settings
from tulle._progress import Progress
from tulle._sklearn_recipe import quantiles_of
from tulle._tables import Table, columns_for, numeric_array


class TableModel:
    """A trained model, the names of the columns it was trained on, and a session for each thread that predicts."""

    def __init__(self, model: Any, names: list[str]) -> None:
        self.model, self.names = model, names
        self.inputs = [
            {"name": one["name"], "levels": one["levels"] if one["levels"] else None} for one in model.info()["inputs"]
        ]
        self._local = threading.local()

    def predict(self, table: Table, n_threads: int | None) -> np.ndarray:
        """What a session gives for the rows of a table, float64."""
        x = columns_for(table, self.inputs, self.names, self.model.level)
        threads = n_threads or 0
        if getattr(self._local, "threads", None) != threads:
            self._local.session, self._local.threads = _core.Session(self.model, threads), threads
        out = np.empty((len(x), self.model.info()["prediction_count"]))
        self._local.session.predict(numeric_array(x), out)
        return out

    def weights(self, name: str) -> list[np.ndarray]:
        """Of each layer "coefs", (inputs, units), or "intercepts"; of members (members, inputs, units)."""
        which = 0 if name == "coefs" else 1
        arrays = [self.model.parameters(layer)[which] for layer in range(len(self.model.info()["layers"]))]
        return [np.swapaxes(one, -1, -2) for one in arrays] if which == 0 else arrays

    def __getstate__(self) -> dict[str, Any]:
        return {"model": self.model.to_bytes(), "names": self.names}

    def __setstate__(self, state: dict[str, Any]) -> None:
        TableModel.__init__(self, _core.Model.from_bytes(state["model"]), state["names"])


@dataclass
class Target:
    """Columns of y for a dataset: values (rows, targets), for classes the names of the levels, and their own names."""

    values: np.ndarray
    levels: list[list[str] | None]
    names: list[str] = field(default_factory=list)


def fresh_name(name: str, taken: list[str]) -> str:
    """`name`, or with underscores behind it if there is such a column."""
    while name in taken:
        name += "_"
    return name


def target_names(y: Any, count: int, taken: list[str]) -> list[str]:
    """The names that y has, or y, or y0, y1, ..., none of them a feature's."""
    own = [str(name) for name in y.columns] if hasattr(y, "columns") and not callable(y.columns) else None
    if own is None and count == 1 and isinstance(getattr(y, "name", None), str):
        own = [y.name]
    if own is None or len(own) != count:
        own = ["y"] if count == 1 else [f"y{i}" for i in range(count)]
    names: list[str] = []
    for name in own:
        names.append(fresh_name(name or "y", taken + names))
    return names


def dataset_of(table: Table, target: Target, weights: np.ndarray | None) -> tuple[Any, str | None]:
    """Features, targets and weights as one dataset; the name of the column of weights."""
    names, levels = table.column_names + target.names, list(table.levels) + list(target.levels)
    parts, weight_column = [table.values, target.values], None
    if weights is not None:
        weight_column = fresh_name("sample_weight", names)
        names, levels = [*names, weight_column], [*levels, None]
        parts.append(weights[:, None])
    values = np.concatenate([np.asarray(part, dtype=np.float64) for part in parts], axis=1)
    return _core.Dataset(values, names, levels), weight_column


def train_options(estimator: Any, task: str) -> dict[str, Any]:
    """The settings that the estimator makes itself; the recipe makes the others."""
    if estimator.warm_start:
        raise ValueError("warm_start needs recipe='sklearn'")
    options: dict[str, Any] = {"recipe": estimator.recipe, "task": task, "threads": estimator.n_threads or 0}
    for name in HAS_AUTO:
        value = getattr(estimator, name, "auto")
        if (setting := PARAMETERS[name].setting) and not is_auto(value):
            options[setting] = value
    if "hidden" in options:
        options["hidden"] = hidden_sizes(options["hidden"])
    if options.get("optimizer") == "lbfgs":
        raise ValueError("solver='lbfgs' needs recipe='sklearn'; the library's recipes learn in batches")
    if not is_auto(estimator.learning_rate):
        if estimator.learning_rate == "invscaling":
            raise ValueError("learning_rate='invscaling' needs recipe='sklearn'; others have 'cosine' or 'adaptive'")
        options["schedule"] = "plateau" if estimator.learning_rate == "adaptive" else estimator.learning_rate
    if not is_auto(estimator.precision):
        options["precision"] = estimator.precision
    loss = getattr(estimator, "loss", "auto")
    if not is_auto(loss):
        options["loss"] = LOSSES[loss]
        if loss == "quantile":
            options["quantiles"] = quantiles_of(estimator)
    options["valid_fraction"] = float(estimator.validation_fraction)
    if not is_auto(estimator.early_stopping):
        if not estimator.early_stopping:
            options["valid_fraction"] = 0.0
        elif is_auto(estimator.n_iter_no_change):
            options["patience"] = PARAMETERS["n_iter_no_change"].sklearn
    if not is_auto(estimator.n_iter_no_change) and np.isfinite(estimator.n_iter_no_change):
        options["patience"] = int(estimator.n_iter_no_change)
    options["seed"] = seed_of(estimator.random_state)
    return with_settings(options, estimator.settings)


def seed_of(random_state: Any) -> int:
    """A number in 0..2^32 - 1 for the library's generator."""
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**32, dtype=np.uint64))


def fit(
    estimator: Any,
    table: Table,
    target: Target,
    weights: np.ndarray | None,
    held: tuple[Table, Target] | None,
    task: str,
) -> None:
    """One call of fit."""
    if len(target.values) < 2:
        raise ValueError("Training needs at least 2 rows, got n_samples = 1.")
    options = train_options(estimator, task)
    dataset, options["weight_column"] = dataset_of(table, target, weights)
    if held is not None:
        ones = None if weights is None else np.ones(len(held[0].values))
        options["valid_dataset"], _ = dataset_of(*held, ones)
    progress = Progress(estimator.verbose, estimator.callbacks)
    interruptions: list[BaseException] = []

    def on_interruption(error: BaseException) -> None:
        if not isinstance(error, KeyboardInterrupt):
            raise error
        interruptions.append(error)  # training ends here, with the best epoch so far

    def on_epoch(state: dict[str, Any]) -> bool:
        if state["trial"]:
            return False
        valid = state["valid_loss"]
        told = dict(epoch=state["epoch"], epochs=state["epochs"], loss=state["train_loss"])
        told |= dict(validation_loss=None if np.isnan(valid) else valid, validation_score=None)
        return progress(told | dict(learning_rate=state["learning_rate"]))

    model = _core.train(dataset, target.names, progress=on_epoch, interrupted=on_interruption, **options)
    progress.end()
    if interruptions:
        warnings.warn("Training interrupted by user.", stacklevel=5)
    estimator._trained = TableModel(model, table.column_names)
    _tell(estimator, model.info())


def _tell(estimator: Any, info: dict[str, Any]) -> None:
    """The attributes that say how training went."""
    curve = np.asarray(info["curve"])
    estimator.loss_curve_ = curve[:, 0].tolist()
    estimator.validation_curve_ = curve[:, 1].tolist() if np.isfinite(curve[:, 1]).any() else []
    estimator.n_iter_ = len(curve)
    estimator.best_iteration_ = info["best_epoch"] or len(curve)
    estimator.loss_ = estimator.loss_curve_[-1]
    estimator.best_loss_ = min(estimator.validation_curve_ or estimator.loss_curve_)
    estimator.n_layers_ = len(info["layers"]) + 1
    estimator.t_ = estimator.n_iter_ * int(info["rows"][0])
