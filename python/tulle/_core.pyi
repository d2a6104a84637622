"""The extension: thin C over include/tulle.h, whose headers are the manual of what happens here.

Arrays are whatever has NumPy's `__array_struct__` (2-D, float32 or float64; the last axis contiguous, rows
any distance apart): they are used where they lie. Anything else is TypeError, a wrong shape ValueError;
tulle/_arrays.py turns what users have into such arrays. Calls that compute release the GIL. An object is
used by one thread at a time: a second one that comes in while the first computes waits for it.

A status becomes an exception: ARGUMENT, DATA, FORMAT, VERSION and DIVERGED are ValueError (the last two
their subclasses VersionError, DivergedError), MEMORY MemoryError, IO OSError (with errno where there is one),
UNSUPPORTED NotImplementedError; INTERRUPTED is what the callback raised, or KeyboardInterrupt.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float32 | np.float64]]

version: str  # tulle_version()
choices: dict[str, tuple[str, ...]]  # names of "activation", "loss", "optimizer", "schedule", "recipe", ...

class DivergedError(ValueError): ...
class VersionError(ValueError): ...

def build_info() -> str: ...
def command(arguments: Sequence[str]) -> int:
    """Runs the command (cli/main.c) with these arguments, the first its name; returns its exit status."""

class Dataset:
    """Columns for training: a copy, of rows by columns float64."""

    def __init__(
        self,
        values: Matrix,
        names: Sequence[str],
        levels: Sequence[Sequence[str] | None],  # of each column; None: it is numeric
        splits: bytes | None = None,  # of each row: 0 train, 1 valid, 2 test
    ) -> None: ...
    @staticmethod
    def from_arrow(stream: Any) -> Dataset:
        """From an object with `__arrow_c_stream__` (polars, pyarrow, pandas 2.2+, duckdb): numbers, booleans,
        text, dictionaries of text; null is missing. Reads each column where it lies, once."""
    @property
    def names(self) -> list[str]: ...
    @property
    def rows(self) -> int: ...
    def levels(self, column: int) -> list[str] | None: ...
    def values(self) -> Matrix:
        """A copy, float64."""

class Model:
    """Immutable; shared between threads at will."""

    @staticmethod
    def load(path: str) -> Model: ...
    @staticmethod
    def from_bytes(data: bytes) -> Model: ...
    def save(self, path: str) -> None: ...
    def to_bytes(self) -> bytes: ...
    def info(self) -> dict[str, Any]:
        """struct tulle_model_info with its members' names: inputs and targets are lists of dicts, settings a dict,
        curve a float64 array (epochs, 3), metrics {split: [dict for each target]}."""
    def parameters(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """weights (units, inputs), of the last layer with members (members, units, inputs), and biases; float64."""
    def level(self, column: int, text: str) -> float: ...

class Session:
    """Scratch memory for predicting with one model."""

    def __init__(self, model: Model, threads: int = 1) -> None: ...
    def predict(self, x: Matrix, out: Matrix) -> None:
        """Without allocation: tulle_session_predict."""
    def input_gradient(self, x: Matrix, dy: Matrix, out: Matrix) -> None: ...

class Trainer:
    """A network that learns from arrays. Keywords are the members of struct tulle_trainer_options, with
    names for enums; `layers` is [(units, activation)] or [(units, activation, dropout)]."""

    def __init__(self, inputs: int, layers: Sequence[tuple], **options: Any) -> None: ...
    def step(self, x: Matrix, y: Matrix, weights: Matrix | None = None) -> float: ...
    def step_gradient(self, x: Matrix, dy: Matrix) -> None: ...
    def epoch(self, x: Matrix, y: Matrix, order: np.ndarray | None = None, weights: np.ndarray | None = None) -> float:
        """All rows, shuffled by the trainer's generator; or those of `order` (intp) as they come."""
    def loss(self, x: Matrix, y: Matrix) -> float: ...
    def predict(self, x: Matrix, out: Matrix) -> None: ...
    def input_gradient(self, x: Matrix, dy: Matrix, out: Matrix) -> None: ...
    def parameters(self, layer: int) -> tuple[np.ndarray, np.ndarray]: ...
    def set_parameters(self, layer: int, weights: Matrix, biases: np.ndarray) -> None: ...
    def blend(self, other: Trainer, share: float) -> None: ...
    def state(self) -> bytes: ...
    def set_state(self, state: bytes) -> None: ...
    def set_learning_rate(self, learning_rate: float) -> None: ...
    def model(self) -> Model: ...

def train(
    dataset: Dataset,
    targets: Sequence[str],
    progress: Callable[[dict[str, Any]], bool | None] | None = None,  # after an epoch; True: stop here
    notice: Callable[[str], None] | None = None,
    valid_dataset: Dataset | None = None,
    **options: Any,  # the members of struct tulle_train_options, with names for enums
) -> Model:
    """tulle_train. Ctrl-C is noticed within 100 ms, between steps."""

def evaluate(model: Model, dataset: Dataset, split: str = "all", weight_column: str | None = None) -> dict[str, Any]: ...
