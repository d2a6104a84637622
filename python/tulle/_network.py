"""The network behind an estimator of the recipe sklearn: a trainer, and its weights as scikit-learn has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tulle import _core


class Network:
    """A `_core.Trainer` that knows how it was made, so that it can be copied and pickled.

    Weights may be looked at and changed as `coefs` (inputs, units) and `intercepts`, in scikit-learn's layout. They are
    copied from the trainer when they are asked for, and from then on compared with it before it is used again: who
    never looks never pays.
    """

    def __init__(self, dtype: Any = np.float64) -> None:
        self.dtype = np.dtype(dtype)
        self.trainer: Any = None
        self._arguments: tuple[Any, ...] = ()
        self._weights: dict[str, list[Any]] = {}
        self._known: dict[str, list[np.ndarray]] = {}

    def build(self, inputs: int, layers: Sequence[tuple[Any, ...]], options: dict[str, Any]) -> None:
        """Makes the trainer; the weights, if there are any, stay."""
        weights = self.weights if self._weights or self.trainer else None
        if weights:
            have = [weights["coefs"][0].shape[0], *(one.shape[1] for one in weights["coefs"])]
            if have != (wanted := [inputs, *(units for units, *_ in layers)]):
                raise ValueError(
                    f"Training goes on with a network of {have} units, inputs to outputs, not {wanted}: "
                    "hidden_layer_sizes must stay as they were"
                )
        self._arguments = (inputs, list(layers), options)
        self.trainer = _core.Trainer(inputs, layers, **options)
        if weights:
            self._weights, self._known = weights, {}
            self.push()

    def adapt(self, layers: Sequence[tuple[Any, ...]], options: dict[str, Any]) -> None:
        """Goes on with these options, and the optimiser's memory as it stands."""
        inputs, old_layers, old = self._arguments
        if layers != old_layers:
            raise ValueError("hidden_layer_sizes, activation and dropout must stay as they were in the last fit")
        options = options | {name: old[name] for name in ("seed", "learning_rate")}
        if options != old:
            state = self.trainer.state()
            self.build(inputs, layers, options)
            self.trainer.set_state(state)

    @property
    def weights(self) -> dict[str, list[Any]]:
        """Lists "coefs" and "intercepts", one array for each layer."""
        if not self._weights and self.trainer is not None:
            pairs = [self.trainer.parameters(layer) for layer in range(len(self._arguments[1]))]
            self._weights = {
                "coefs": [np.ascontiguousarray(w.T, dtype=self.dtype) for w, _ in pairs],
                "intercepts": [np.array(b, dtype=self.dtype) for _, b in pairs],
            }
            self._known = {name: [one.copy() for one in ones] for name, ones in self._weights.items()}
        return self._weights

    def push(self) -> None:
        """Gives the trainer what was changed in the weights."""
        if not self._weights:
            return
        for layer, (coef, intercept) in enumerate(zip(self._weights["coefs"], self._weights["intercepts"])):
            if self._known and all(
                np.array_equal(ours, known[layer])
                for ours, known in ((coef, self._known["coefs"]), (intercept, self._known["intercepts"]))
            ):
                continue
            weights = np.ascontiguousarray(np.asarray(coef, dtype=np.float64).T)
            self.trainer.set_parameters(layer, weights, np.ascontiguousarray(intercept, dtype=np.float64))
        self._known = {name: [np.array(one) for one in ones] for name, ones in self._weights.items()}

    def forget(self) -> None:
        """The trainer is about to change its weights."""
        self.push()
        self._weights, self._known = {}, {}

    def assign(self, name: str, value: list[Any]) -> None:
        """`coefs` or `intercepts` in whole, by the user."""
        self._weights = dict(self.weights)
        self._weights[name] = value
        self._known = {}

    def snapshot(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """The parameters of all layers."""
        return [self.trainer.parameters(layer) for layer in range(len(self._arguments[1]))]

    def restore(self, parameters: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Takes back a snapshot."""
        self.forget()
        for layer, (weights, biases) in enumerate(parameters):
            self.trainer.set_parameters(layer, weights, biases)

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """What the last layer gives for x, (rows, outputs)."""
        self.push()
        units = self._arguments[1][-1][0]
        out = np.empty((len(x), units), dtype=self.dtype)
        self.trainer.predict(x, out)
        return out

    def is_finite(self) -> bool:
        """Whether all parameters are numbers."""
        return all(np.isfinite(w).all() and np.isfinite(b).all() for w, b in self.snapshot())

    def __getstate__(self) -> dict[str, Any]:
        if self.trainer is None:
            return {"dtype": self.dtype.str, "weights": self._weights}
        self.push()
        return {"dtype": self.dtype.str, "arguments": self._arguments, "state": self.trainer.state()}

    def __setstate__(self, state: dict[str, Any]) -> None:
        Network.__init__(self, state["dtype"])
        if "state" in state:
            self.build(*state["arguments"])
            self.trainer.set_state(state["state"])
        else:
            self._weights = state["weights"]
