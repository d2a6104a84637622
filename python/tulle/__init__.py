"""Small dense neural networks for tables: scikit-learn's estimators, and the loop below them.

`MLPRegressor` and `MLPClassifier` are loaded when they are first asked for: scikit-learn, which they are based on
where it is installed, takes far longer to load than all of this.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from tulle._core import (
    Dataset,
    DivergedError,
    Model,
    Session,
    Trainer,
    VersionError,
    build_info,
    evaluate,
    train,
)
from tulle._core import version as __version__

if TYPE_CHECKING:
    from tulle import convert
    from tulle.classifier import MLPClassifier
    from tulle.regressor import MLPRegressor

_LAZY = {"MLPRegressor": "tulle.regressor", "MLPClassifier": "tulle.classifier", "convert": "tulle.convert"}

__all__ = [
    "Dataset",
    "DivergedError",
    "MLPClassifier",
    "MLPRegressor",
    "Model",
    "Session",
    "Trainer",
    "VersionError",
    "__version__",
    "build_info",
    "convert",
    "evaluate",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tulle' has no attribute {name!r}")
    module = importlib.import_module(_LAZY[name])
    value = module if name == "convert" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_LAZY])
