"""What the estimators need of scikit-learn, for where it is not installed: the same names and behaviour, in little.

Only `tulle._compat` imports this.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable

import numpy as np


class NotFittedError(ValueError, AttributeError):
    """The estimator was asked for what only `fit` can tell."""


class ConvergenceWarning(UserWarning):
    """Training ended before it converged."""


class DataConversionWarning(UserWarning):
    """Data were taken for something else than what they look like."""


class InvalidParameterError(ValueError, TypeError):
    """A parameter of the constructor has no usable value."""


class BaseEstimator:
    """Parameters by name: `get_params`, `set_params`, and a `repr` that shows those that were set."""

    _html_repr: Callable[[], str]  # the estimator's own

    @classmethod
    def _get_param_names(cls) -> list[str]:
        return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's arguments, by name."""
        return {name: getattr(self, name) for name in self._get_param_names()}

    def set_params(self, **params: Any) -> BaseEstimator:
        """Changes some of the constructor's arguments."""
        valid = self._get_param_names()
        for name, value in params.items():
            if name not in valid:
                raise ValueError(f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {valid!r}.")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        parameters = inspect.signature(type(self).__init__).parameters
        changed = [
            f"{name}={getattr(self, name)!r}"
            for name in self._get_param_names()
            if repr(getattr(self, name)) != repr(parameters[name].default)
        ]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__.copy()

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)

    def _repr_html_(self) -> str:
        return self._html_repr()


class RegressorMixin:
    """`score` of a regressor."""

    predict: Callable[[Any], np.ndarray]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The coefficient of determination, R^2, averaged over targets."""
        from tulle._metrics import r2_score

        return r2_score(y, self.predict(X), sample_weight)


class ClassifierMixin:
    """`score` of a classifier."""

    predict: Callable[[Any], np.ndarray]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows that are predicted right."""
        from tulle._metrics import accuracy_score

        return accuracy_score(y, self.predict(X), sample_weight)


def check_is_fitted(estimator: Any) -> None:
    """Raises NotFittedError unless `fit` was called."""
    if not any(name.endswith("_") and not name.startswith("__") for name in vars(estimator)):
        raise NotFittedError(
            f"This {type(estimator).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments "
            "before using this estimator."
        )


def column_or_1d(y: Any, *, warn: bool = False) -> np.ndarray:
    """y (n,) of y (n,) or (n, 1)."""
    import warnings

    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        if warn:
            warnings.warn(
                "A column-vector y was passed when a 1d array was expected. Please change the shape of y to "
                "(n_samples, ), for example using ravel().",
                DataConversionWarning,
                stacklevel=3,
            )
        return y.ravel()
    if y.ndim != 1:
        raise ValueError(f"y should be a 1d array, got an array of shape {y.shape} instead.")
    return y


def _feature_names(X: Any) -> np.ndarray | None:
    names = getattr(X, "columns", None)
    if names is None:
        names = getattr(X, "column_names", None)
    if names is None or callable(names) or not all(isinstance(name, str) for name in names):
        return None
    return np.asarray(list(names), dtype=object)


def _check_features(estimator: Any, X: Any, columns: int, reset: bool) -> None:
    """Remembers the names and the number of columns, or compares them with what is remembered."""
    import warnings

    names = _feature_names(X)
    if reset:
        estimator.n_features_in_ = columns
        if names is not None:
            estimator.feature_names_in_ = names
        elif hasattr(estimator, "feature_names_in_"):
            del estimator.feature_names_in_
        return
    known = getattr(estimator, "feature_names_in_", None)
    who = type(estimator).__name__
    if known is not None and names is None:
        warnings.warn(f"X does not have valid feature names, but {who} was fitted with feature names", stacklevel=4)
    elif known is None and names is not None:
        warnings.warn(f"X has feature names, but {who} was fitted without feature names", stacklevel=4)
    elif known is not None and names is not None and list(known) != list(names):
        raise ValueError(
            "The feature names should match those that were passed during fit.\n"
            f"Fitted with {list(known)}, got {list(names)}."
        )
    if hasattr(estimator, "n_features_in_") and columns != estimator.n_features_in_:
        raise ValueError(
            f"X has {columns} features, but {who} is expecting {estimator.n_features_in_} features as input."
        )


def _check_array(X: Any, dtype: Any, allow_nan: bool) -> np.ndarray:
    if hasattr(X, "toarray"):
        X = X.toarray()
    X = np.asarray(X)
    if np.iscomplexobj(X):
        raise ValueError(f"Complex data not supported\n{X}\n")
    if X.ndim == 1:
        raise ValueError(
            f"Expected 2D array, got 1D array instead:\narray={X}.\nReshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a "
            "single sample."
        )
    if X.ndim != 2:
        raise ValueError(f"Found array with dim {X.ndim}, while dim <= 2 is required.")
    dtypes = dtype if isinstance(dtype, (list, tuple)) else [dtype]
    X = X if X.dtype in [np.dtype(one) for one in dtypes] else X.astype(dtypes[0])
    if X.shape[0] < 1:
        raise ValueError(f"Found array with 0 sample(s) (shape={X.shape}) while a minimum of 1 is required.")
    if X.shape[1] < 1:
        raise ValueError(f"Found array with 0 feature(s) (shape={X.shape}) while a minimum of 1 is required.")
    if np.isinf(X).any() or (not allow_nan and np.isnan(X).any()):
        raise ValueError(f"Input X contains {'infinity' if np.isinf(X).any() else 'NaN'}.")
    return X


def validate_data(
    estimator: Any,
    X: Any,
    y: Any = "no_validation",
    *,
    reset: bool = True,
    skip_check_array: bool = False,
    dtype: Any = (np.float64, np.float32),
    ensure_all_finite: bool | str = True,
    **_: Any,
) -> Any:
    """X, or X and y, as arrays; and the estimator's `n_features_in_` and `feature_names_in_`."""
    frame = X
    if not skip_check_array:
        X = _check_array(X, dtype, ensure_all_finite == "allow-nan")
    shape = np.shape(X)
    _check_features(estimator, frame, shape[1] if len(shape) > 1 else 1, reset)
    if isinstance(y, str) and y == "no_validation":
        return X
    from tulle._compat import checked_target

    return X, checked_target(estimator, y, shape[0])
