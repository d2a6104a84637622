"""What training says on its way: a line that grows in a terminal, one in a notebook, or a line for each epoch.

A notebook is one that has IPython loaded already; nothing is imported for it.
"""

from __future__ import annotations

import sys
import time
from typing import Any, Callable

import numpy as np

WIDTH = 24


def _notebook_display() -> Any:
    """A display handle of the notebook that runs this, or None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    from IPython.display import display

    return display({"text/plain": ""}, raw=True, display_id=True)


def _line(state: dict[str, Any], seconds: float) -> str:
    done, epochs = state["epoch"], state["epochs"]
    filled = WIDTH * done // max(epochs, 1)
    text = f"epoch {done}/{epochs} [{'#' * filled}{'.' * (WIDTH - filled)}] loss {state['loss']:.4g}"
    if state.get("validation_score") is not None:
        text += f"  validation score {state['validation_score']:.4g}"
    elif state.get("validation_loss") is not None:
        text += f"  validation loss {state['validation_loss']:.4g}"
    return f"{text}  {seconds:.1f} s"


class Progress:
    """Called with the state after every epoch; true if a callback wants training to end there.

    A state is a dict of "epoch" (from 1), "epochs", "loss", "validation_loss" and "validation_score" (None where there
    are no such rows) and "learning_rate".
    """

    INTERVAL = 0.1  # seconds between two pictures of the bar

    def __init__(self, verbose: Any, callbacks: Any) -> None:
        if callbacks is None:
            callbacks = []
        self.callbacks: list[Callable[[dict[str, Any]], Any]] = [callbacks] if callable(callbacks) else list(callbacks)
        self.verbose = bool(verbose)
        self.began = self.shown = time.monotonic()
        self.display = _notebook_display() if self.verbose else None
        self.is_terminal = self.verbose and self.display is None and sys.stdout.isatty()
        self.last: dict[str, Any] | None = None

    def __call__(self, state: dict[str, Any]) -> bool:
        self.last = state
        if self.verbose:
            self._show(state)
        # all are called, also after one that wants to stop
        answers = [callback(state) for callback in self.callbacks]
        return any(isinstance(one, (bool, np.bool_)) and bool(one) for one in answers)

    def _show(self, state: dict[str, Any]) -> None:
        now = time.monotonic()
        if not self.is_terminal and self.display is None:
            print(f"Iteration {state['epoch']}, loss = {state['loss']:.8f}")
            if state.get("validation_score") is not None:
                print(f"Validation score: {state['validation_score']:f}")
            elif state.get("validation_loss") is not None:
                print(f"Validation loss: {state['validation_loss']:f}")
        elif now - self.shown >= self.INTERVAL or state["epoch"] == 1:
            self.shown = now
            self._draw(state, now)

    def _draw(self, state: dict[str, Any], now: float) -> None:
        text = _line(state, now - self.began)
        if self.display is not None:
            self.display.update({"text/plain": text}, raw=True)
        else:
            print(f"\r{text}\033[K", end="", flush=True)

    def end(self, message: str = "") -> None:
        """The last picture, and why training ended."""
        if not self.verbose:
            return
        if self.last is not None and (self.is_terminal or self.display is not None):
            self._draw(self.last, time.monotonic())
            if self.is_terminal:
                print()
        if message:
            print(message)
