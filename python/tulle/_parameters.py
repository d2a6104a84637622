"""The estimators' parameters: what each may be, what "auto" is in the recipe sklearn, and what the library calls it.

One table; checks, defaults and the settings handed to `_core.train` are read from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from numbers import Integral, Real
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np

from tulle import _core
from tulle._compat import InvalidParameterError

RECIPES = ("sklearn", *_core.choices["recipe"])

# scikit-learn's names of losses, and the library's
LOSSES = {
    "squared_error": "mse",
    "absolute_error": "mae",
    "huber": "huber",
    "quantile": "quantile",
    "poisson": "poisson",
    "gamma": "gamma",
}


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


@dataclass(frozen=True)
class Number:
    """A number in [low, high); `above` leaves low out, `upto` takes high in."""

    low: float = 0
    high: float = np.inf
    above: bool = False
    upto: bool = False
    whole: bool = False

    def accepts(self, value: Any) -> bool:
        if not _is_number(value) or (self.whole and not isinstance(value, Integral)):
            return False
        is_low = value > self.low if self.above else value >= self.low
        return bool(is_low and (value <= self.high if self.upto else value < self.high))

    def __str__(self) -> str:
        kind = "an int" if self.whole else "a float"
        return f"{kind} in the range {'(' if self.above else '['}{self.low:g}, {self.high:g}{']' if self.upto else ')'}"


@dataclass(frozen=True)
class Choice:
    """One of some names."""

    names: tuple[str, ...]

    def accepts(self, value: Any) -> bool:
        return isinstance(value, str) and value in self.names

    def __str__(self) -> str:
        return "one of " + ", ".join(repr(name) for name in self.names)


@dataclass(frozen=True)
class Test:
    """What a function says yes to."""

    function: Callable[[Any], bool]
    text: str

    def accepts(self, value: Any) -> bool:
        return bool(self.function(value))

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Parameter:
    """One parameter of the constructor."""

    allowed: tuple[Any, ...]
    sklearn: Any = None  # what "auto" is in the recipe sklearn
    setting: str | None = None  # its member of struct tulle_train_options; None: not handed on as it is


def _listed(value: Any) -> list[Any]:
    """What a sequence holds, or the value itself; an iterator, which could be read only once, is no sequence."""
    is_sequence = np.iterable(value) and hasattr(value, "__len__") and not isinstance(value, (str, bytes, dict))
    return list(value) if is_sequence else [value]


def _is_sizes(value: Any) -> bool:
    return all(isinstance(size, Integral) and not isinstance(size, bool) for size in _listed(value))


def _is_quantiles(value: Any) -> bool:
    values = _listed(value)
    ascending = all(_is_number(q) and 0 < q < 1 for q in values) and sorted(values) == values
    return len(values) > 0 and ascending


def _is_generator(value: Any) -> bool:
    return value is None or value is np.random or isinstance(value, (np.random.RandomState, np.random.Generator))


FLAG = Test(lambda value: isinstance(value, (bool, np.bool_)), "a bool")
COUNT = Number(low=1, whole=True)
SHARE = Number(high=1)

PARAMETERS: dict[str, Parameter] = {
    "recipe": Parameter((Choice(RECIPES),)),
    "loss": Parameter((Choice(tuple(LOSSES)),), "squared_error"),
    "quantile": Parameter((Test(lambda value: value is None or _is_quantiles(value),
                                "a float in (0, 1), several in ascending order, or None"),)),
    "hidden_layer_sizes": Parameter((Test(_is_sizes, "an int or a sequence of ints"),), (100,), "hidden"),
    "activation": Parameter((Choice(_core.choices["activation"]),), "relu", "activation"),
    "solver": Parameter((Choice(("lbfgs", *_core.choices["optimizer"])),), "adam", "optimizer"),
    "alpha": Parameter((Number(),), 0.0001, "weight_decay"),
    "batch_size": Parameter((COUNT,), None, "batch_size"),
    "learning_rate": Parameter((Choice(("invscaling", "adaptive", *_core.choices["schedule"])),), "constant"),
    "learning_rate_init": Parameter((Number(above=True),), 0.001, "learning_rate"),
    "power_t": Parameter((Number(),)),
    "max_iter": Parameter((COUNT,), 200, "epochs"),
    "shuffle": Parameter((FLAG,)),
    "random_state": Parameter((Number(high=2**32, whole=True),
                               Test(_is_generator, "a RandomState or Generator of NumPy or None"))),
    "tol": Parameter((Number(),)),
    "verbose": Parameter((FLAG, Number(whole=True))),
    "warm_start": Parameter((FLAG,)),
    "momentum": Parameter((Number(high=1, upto=True),), 0.9, "momentum"),
    "nesterovs_momentum": Parameter((FLAG,)),
    "early_stopping": Parameter((FLAG,), False),
    "validation_fraction": Parameter((SHARE,)),
    "beta_1": Parameter((SHARE,), 0.9, "beta1"),
    "beta_2": Parameter((SHARE,), 0.999, "beta2"),
    "epsilon": Parameter((Number(above=True),), 1e-8, "epsilon"),
    "n_iter_no_change": Parameter((COUNT, Test(lambda value: _is_number(value) and value == np.inf, "inf")), 10),
    "max_fun": Parameter((COUNT,)),
    "dropout": Parameter((SHARE,), 0.0, "dropout"),
    "precision": Parameter((Choice(("f32", "f64")),)),
    "n_threads": Parameter((Number(high=2**32, whole=True), Test(lambda value: value is None, "None"))),
    "class_weight": Parameter((Choice(("balanced",)), Test(lambda value: value is None or isinstance(value, dict),
                                                           "a dict from classes to weights or None"))),
    "callbacks": Parameter((Test(lambda value: value is None or all(callable(one) for one in _listed(value)),
                                 "a function, a sequence of functions or None"),)),
    "settings": Parameter((Test(lambda value: value is None or isinstance(value, dict), "a dict or None"),)),
}  # fmt: skip

HAS_AUTO = {
    "loss", "hidden_layer_sizes", "activation", "solver", "alpha", "batch_size", "learning_rate", "learning_rate_init",
    "max_iter", "momentum", "early_stopping", "beta_1", "beta_2", "epsilon", "n_iter_no_change", "dropout",
    "precision",
}  # fmt: skip


def is_auto(value: Any) -> bool:
    """Whether a parameter was left to the recipe."""
    return isinstance(value, str) and value == "auto"


def check(estimator: Any) -> None:
    """Raises InvalidParameterError, a ValueError and TypeError, for the first parameter that has no usable value."""
    for name, parameter in PARAMETERS.items():
        if not hasattr(estimator, name):
            continue
        value = getattr(estimator, name)
        if (name in HAS_AUTO and is_auto(value)) or any(allowed.accepts(value) for allowed in parameter.allowed):
            continue
        expected = " or ".join(str(allowed) for allowed in parameter.allowed)
        if name in HAS_AUTO:
            expected += " or 'auto'"
        who = type(estimator).__name__
        raise InvalidParameterError(f"The {name!r} parameter of {who} must be {expected}. Got {value!r} instead.")
    if np.any(np.asarray(sizes := hidden_sizes(estimator.hidden_layer_sizes)) <= 0):
        raise ValueError(f"hidden_layer_sizes must be > 0, got {sizes}.")


def hidden_sizes(value: Any) -> list[int]:
    """hidden_layer_sizes as a list; of "auto" that of the recipe sklearn."""
    if is_auto(value):
        value = PARAMETERS["hidden_layer_sizes"].sklearn
    return [int(size) for size in value] if np.iterable(value) else [int(value)]


def with_settings(options: dict[str, Any], settings: dict[str, Any] | None) -> dict[str, Any]:
    """The options, and the library's settings that the user adds by their own names."""
    if twice := [name for name in settings or {} if name in options]:
        raise ValueError(f"settings has {twice[0]!r}, which follows from the estimator's parameters: set it by those")
    return options | (settings or {})


def resolved(estimator: Any) -> SimpleNamespace:
    """The estimator's parameters with scikit-learn's defaults in place of "auto"."""
    return SimpleNamespace(**{name: resolved_one(estimator, name) for name in _names(estimator.__class__)})


def resolved_one(estimator: Any, name: str) -> Any:
    """One of them."""
    value = getattr(estimator, name)
    return PARAMETERS[name].sklearn if name in HAS_AUTO and is_auto(value) else value


@lru_cache(maxsize=64)
def _names(kind: Any) -> tuple[str, ...]:
    """The parameters of a class; to ask its signature takes longer than a step of training."""
    return tuple(kind._get_param_names())
