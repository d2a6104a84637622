"""What the regressor and the classifier have in common: fit, outputs, weights, and how they are shown."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

from tulle import _sklearn_recipe, _table_recipe
from tulle._compat import (
    BaseEstimator,
    NotFittedError,
    check_is_fitted,
    checked_data,
    checked_target,
    column_or_1d,
    validate_data,
)
from tulle._network import Network
from tulle._parameters import check, is_auto
from tulle._sklearn_recipe import Rows
from tulle._tables import Table, column_names, is_of_objects, numeric_array, table_of

FLOATS = (np.float64, np.float32)
FOR_TABLES = "Text, categories and missing values need a recipe such as 'tabular', not 'sklearn'."
BLOCK = 1 << 20  # numbers of a sparse matrix that are made dense at a time, to predict


def row_weights(sample_weight: Any, rows: int) -> np.ndarray | None:
    """sample_weight as (rows,) float64, None if it is None."""
    if sample_weight is None:
        return None
    weights = np.array(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(rows, float(weights))
    if weights.ndim != 1:
        raise ValueError("Sample weights must be 1D array or scalar")
    if len(weights) != rows:
        raise ValueError(f"sample_weight.shape == {weights.shape}, expected {(rows,)}!")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("sample_weight must be finite numbers of 0 or more.")
    if not weights.any():
        raise ValueError("Sample weights must contain at least one non-zero number.")
    return weights


def _check_targets(y: np.ndarray, held: np.ndarray) -> None:
    if y.shape[1:] != held.shape[1:]:
        raise ValueError(f"y of validation_data has shape {held.shape}, that to learn from {y.shape}")


def _softmax(outputs: np.ndarray) -> np.ndarray:
    outputs -= outputs.max(axis=1, keepdims=True)
    np.exp(outputs, out=outputs)
    outputs /= outputs.sum(axis=1, keepdims=True)
    return outputs


def _logistic(outputs: np.ndarray) -> np.ndarray:
    small = np.exp(-np.abs(outputs))  # never overflows
    return np.where(outputs >= 0, outputs.dtype.type(1), small) / (1 + small)


# Of outputs that nobody needs afterwards: large arrays cost more to come by than to fill.
LINKS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda outputs: outputs,
    "exp": lambda outputs: np.exp(outputs, out=outputs),
    "logistic": _logistic,
    "softmax": _softmax,
}


class BaseMLP(BaseEstimator):
    """A multilayer perceptron for tables; `MLPRegressor` and `MLPClassifier` say of what."""

    _network: Network | None = None  # of the recipe sklearn
    _trained: _table_recipe.TableModel | None = None  # of the others
    _is_of_numbers = True

    # --- fit ---

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, validation_data: Any = None, incremental: bool = False
    ) -> BaseMLP:
        check(self)
        if not (validation_data is None or (isinstance(validation_data, (tuple, list)) and len(validation_data) == 2)):
            raise ValueError(f"validation_data must be a tuple (X, y), got {type(validation_data).__name__}")
        if self.recipe == "sklearn":
            self._fit_sklearn(X, y, sample_weight, validation_data, incremental)
        else:
            self._fit_table(X, y, sample_weight, validation_data)
        return self

    def _fit_sklearn(self, X: Any, y: Any, sample_weight: Any, validation_data: Any, incremental: bool) -> None:
        self._trained = None
        x, y = self._arrays(X, y, reset=_sklearn_recipe.begins_anew(self, incremental))
        loss, outputs, encode = self._learnable(y, self.warm_start or incremental)
        data = Rows(x, encode(y), self._weights(sample_weight, y))
        held = None
        if validation_data is not None:
            held_x, held_y = validation_data
            held_x, held_y = self._arrays(held_x, held_y, reset=False)
            _check_targets(y, held_y)
            held = Rows(held_x, encode(held_y), None)
        _sklearn_recipe.fit(self, data, held, loss, outputs, x.dtype, incremental)

    def _arrays(self, X: Any, y: Any, reset: bool) -> tuple[np.ndarray, np.ndarray]:
        try:
            x, y = checked_data(
                self,
                X,
                y,
                accept_sparse=["csr", "csc"],
                multi_output=True,
                y_numeric=self._is_of_numbers,
                dtype=FLOATS,
                reset=reset,
            )
        except ValueError as error:
            reason = str(error).partition("\n")[0]
            is_text = reason.startswith("could not convert string") and is_of_objects(X)
            if is_text or reason.startswith("Input X contains NaN"):
                raise ValueError(f"{reason.rstrip('.')}. {FOR_TABLES}") from error
            raise
        return self._dense(x), self._target_array(y)

    def _dense(self, X: Any) -> np.ndarray:
        """X dense, in the precision to compute in."""
        x = X.toarray() if hasattr(X, "toarray") else X
        if not is_auto(self.precision):
            x = x.astype(np.float32 if self.precision == "f32" else np.float64, copy=False)
        return numeric_array(x)

    @staticmethod
    def _target_array(y: Any) -> np.ndarray:
        """y as (rows,), or as (rows, targets) where there are several."""
        y = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
        return column_or_1d(y, warn=True) if y.ndim == 2 and y.shape[1] == 1 else y

    def _weights(self, sample_weight: Any, y: np.ndarray) -> np.ndarray | None:
        """The weights of rows; the classifier's have their classes' too."""
        return row_weights(sample_weight, len(y))

    def _fit_table(self, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> None:
        self._network = self._trained = None
        table, array = self._table_and_target(X, y, reset=True)
        target, task = self._table_target(array, True)
        target.names = _table_recipe.target_names(y, target.values.shape[1], table.column_names)
        held = None
        if validation_data is not None:
            held_x, held_y = validation_data
            held_table, held_array = self._table_and_target(held_x, held_y, reset=False)
            _check_targets(array, held_array)
            held_target, _ = self._table_target(held_array, False)
            held_target.names = target.names
            held = held_table, held_target
        _table_recipe.fit(self, table, target, self._weights(sample_weight, array), held, task)
        self.n_outputs_ = len(target.names)

    def _table_and_target(self, X: Any, y: Any, reset: bool) -> tuple[Table, np.ndarray]:
        table = self._table(X, reset)
        return table, self._target_array(checked_target(self, y, len(table.values)))

    def _table(self, X: Any, reset: bool) -> Table:
        """X as a table; its columns are counted and named, or compared with those of `fit`.

        A frame's columns are matched by name when the model asks for them; those of all else must be those of `fit`.
        """
        names = column_names(X)
        if names is None and not is_of_objects(X):
            return table_of(
                validate_data(
                    self,
                    X,
                    accept_sparse=["csr", "csc"],
                    dtype=FLOATS,
                    ensure_all_finite="allow-nan",
                    reset=reset,
                )
            )
        table = table_of(X)
        if reset or names is None or not hasattr(self, "feature_names_in_"):
            validate_data(self, X, skip_check_array=True, reset=reset)
            table.names = table.names if reset else None
        if min(table.values.shape) < 1:
            what = "sample" if len(table.values) < 1 else "feature"
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={table.values.shape}) while a minimum of 1 is required."
            )
        if np.isinf(table.values).any():
            raise ValueError("Input X contains infinity or a value too large for dtype('float64').")
        return table

    # --- predict ---

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network says of the rows of X, (rows, columns): numbers, or probabilities."""
        if self._trained is not None:
            return self._trained.predict(self._table(X, False), self.n_threads)
        if self._network is None or self._network.trainer is None:
            check_is_fitted(self)
        X = checked_data(self, X, accept_sparse=["csr", "csc"], dtype=FLOATS, reset=False)
        link, network = LINKS[self.out_activation_], self._learned_network()
        if not hasattr(X, "toarray"):
            return link(network.outputs(self._dense(X)))
        rows = max(1, BLOCK // X.shape[1])
        X = X.tocsr()
        parts = [network.outputs(self._dense(X[i : i + rows])) for i in range(0, X.shape[0], rows)]
        return link(np.concatenate(parts))

    # --- what was learned ---

    @property
    def coefs_(self) -> list[np.ndarray]:
        """Weights of each layer, (inputs, units). They may be changed: predictions and further training follow."""
        return self._layer_arrays("coefs")

    @coefs_.setter
    def coefs_(self, value: list[np.ndarray]) -> None:
        self._assign("coefs", value)

    @property
    def intercepts_(self) -> list[np.ndarray]:
        """Biases of each layer, (units)."""
        return self._layer_arrays("intercepts")

    @intercepts_.setter
    def intercepts_(self, value: list[np.ndarray]) -> None:
        self._assign("intercepts", value)

    def _layer_arrays(self, name: str) -> list[np.ndarray]:
        if self._trained is not None:
            return self._trained.weights(name)
        if self._network is None or name not in self._network.weights:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute '{name}_': it is not fitted yet")
        return self._network.weights[name]

    def _assign(self, name: str, value: list[np.ndarray]) -> None:
        if self._trained is not None:
            raise AttributeError(f"{name}_ can be set with recipe='sklearn' only")
        if self._network is None:
            self._network = Network()
        self._network.assign(name, value)

    def _adopt(self, coefs: list[np.ndarray], intercepts: list[np.ndarray]) -> None:
        """Takes weights from elsewhere as if it had been fitted; the other attributes are there already."""
        _sklearn_recipe.adopt(self, coefs, intercepts, self._loss_name())

    @property
    def model_(self) -> Any:
        """The `tulle.Model`: `model_.save("x.tulle")` writes the file that the command reads.

        With the recipe sklearn its columns are c0, c1, ..., and its classes 0, 1, ... in the order of `classes_`.
        """
        check_is_fitted(self)
        if self._trained is not None:
            return self._trained.model
        network = self._learned_network()
        network.push()
        return network.trainer.model()

    def _learned_network(self) -> Network:
        if self._network is None:  # a fit that failed has left some attributes, and nothing behind them
            raise NotFittedError(f"This {type(self).__name__} instance is not fitted yet: its last fit failed.")
        return self._network

    # --- scikit-learn ---

    def _check_learns_in_parts(self) -> None:
        if self.recipe != "sklearn" or self.solver == "lbfgs":
            raise AttributeError("partial_fit needs recipe='sklearn' and a solver other than 'lbfgs'")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        if self.recipe != "sklearn":
            tags.input_tags.allow_nan = True
            tags.input_tags.categorical = True
        return tags

    def _html_repr(self) -> str:
        from tulle._html import html_of

        return html_of(self)
