"""scikit-learn's base classes, exceptions and checks where it is (1.6 or newer), small ones of our own where it is not.

The estimators' modules import this one, and `import tulle` imports none of them before an estimator is asked for: so
scikit-learn, if it is there, is loaded by whoever uses an estimator and by nobody else.
"""

from __future__ import annotations

from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning, DataConversionWarning, NotFittedError
    from sklearn.utils._param_validation import InvalidParameterError
    from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

    HAS_SKLEARN = True
except ImportError:
    from tulle._without_sklearn import (
        BaseEstimator,
        ClassifierMixin,
        ConvergenceWarning,
        DataConversionWarning,
        InvalidParameterError,
        NotFittedError,
        RegressorMixin,
        check_is_fitted,
        column_or_1d,
        validate_data,
    )

    HAS_SKLEARN = False

__all__ = [
    "HAS_SKLEARN",
    "BaseEstimator",
    "ClassifierMixin",
    "ConvergenceWarning",
    "DataConversionWarning",
    "InvalidParameterError",
    "NotFittedError",
    "RegressorMixin",
    "available_if",
    "check_is_fitted",
    "check_random_state",
    "checked_data",
    "checked_target",
    "column_or_1d",
    "validate_data",
]


def check_random_state(seed: Any) -> np.random.RandomState:
    """The generator that scikit-learn would take: NumPy's global one for None, a new one for a number, or itself.

    One of NumPy's new kind, which scikit-learn does not take, gives the number for a new one.
    """
    if seed is None or seed is np.random:
        return np.random.mtrand._rand
    if isinstance(seed, np.random.RandomState):
        return seed
    if isinstance(seed, np.random.Generator):
        return np.random.RandomState(int(seed.integers(2**32)))
    return np.random.RandomState(seed)


def checked_data(estimator: Any, X: Any, y: Any = "no_validation", *, reset: bool, **options: Any) -> Any:
    """What `validate_data` gives; of arrays with nothing to convert or to complain of in a fraction of its time, which
    is longer than that of a step of training or of a prediction."""
    if not (_is_plain(X, 2) and X.shape[1] > 0 and not hasattr(estimator, "feature_names_in_")):
        return validate_data(estimator, X, y, reset=reset, **options)
    has_target = not isinstance(y, str)
    if has_target and not (_is_plain(y, 1) and len(y) == len(X)):
        return validate_data(estimator, X, y, reset=reset, **options)
    if reset:
        estimator.n_features_in_ = X.shape[1]
    elif X.shape[1] != getattr(estimator, "n_features_in_", -1):
        return validate_data(estimator, X, y, reset=reset, **options)
    return (X, y) if has_target else X


def _is_plain(array: Any, dimensions: int) -> bool:
    """Whether it is a NumPy array of finite numbers, at least one; not if their sum overflows."""
    if type(array) is not np.ndarray or array.ndim != dimensions or array.shape[0] == 0:
        return False
    if array.dtype.kind in "iub":
        return dimensions == 1
    if array.dtype not in (np.float32, np.float64):
        return False
    with np.errstate(all="ignore"):
        return bool(np.isfinite(array.sum()))


def checked_target(estimator: Any, y: Any, rows: int) -> np.ndarray:
    """y as an array of so many rows, without gaps; ValueError otherwise."""
    if y is None:
        raise ValueError(
            f"This {type(estimator).__name__} estimator requires y to be passed, but the target y is None."
        )
    y = np.asarray(y.toarray() if hasattr(y, "toarray") else y)
    if len(np.shape(y)) not in (1, 2):
        raise ValueError(f"y should be a 1d array, got an array of shape {np.shape(y)} instead.")
    if len(y) != rows:
        raise ValueError(f"Found input variables with inconsistent numbers of samples: {[rows, len(y)]}")
    if y.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{y}\n")
    if (y != y).any() or any(one is None for one in (y.ravel() if y.dtype == object else ())):
        raise ValueError("Input y contains NaN.")
    if y.dtype.kind == "f" and np.isinf(y).any():
        raise ValueError("Input y contains infinity or a value too large for dtype('float64').")
    return y


class available_if:
    """Decorates a method that an object has unless `condition(object)` raises AttributeError; hasattr() then tells."""

    def __init__(self, condition: Any) -> None:
        self.condition = condition

    def __call__(self, method: Any) -> available_if:
        self.method = method
        self.__doc__ = method.__doc__
        return self

    @property
    def __wrapped__(self) -> Any:
        return self.method

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self.method
        self.condition(instance)
        return self.method.__get__(instance, owner)
