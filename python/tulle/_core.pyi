"""The extension: thin C over include/tulle.h, whose headers are the manual of what happens here.

An array to read may be anything that NumPy makes numbers of; of one or two dimensions, native float32 or float64,
rows contiguous and any distance apart, it is used where it lies, and else copied. One dimension is one row of x, and
of y one row where x is one, or one column. An array to write to must be of the kind that is used where it lies.

Calls that compute let go of the GIL, unless they take but microseconds. An object is used by one thread at a time: a
second that comes in while the first computes waits for it. Models and datasets are immutable, and used by any number.
Long calls notice signals within 100 ms.

A status becomes an exception: ARGUMENT, DATA and FORMAT are ValueError, VERSION and DIVERGED its subclasses
VersionError and DivergedError, MEMORY is MemoryError, IO OSError (with errno where there is one), UNSUPPORTED
NotImplementedError; INTERRUPTED is what the callback or the signal's handler raised.
"""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

_Out = TypeVar("_Out", bound=NDArray[Any])
_Path = str | bytes | PathLike[str] | PathLike[bytes]

version: str  # tulle_version()
choices: dict[str, tuple[str, ...]]  # names of "activation", "loss", "optimizer", "schedule", "recipe", ...

class DivergedError(ValueError):
    """Training diverged: a smaller learning rate may help."""

class VersionError(ValueError):
    """A file was made by a newer version of Tulle."""

def build_info() -> str:
    """What this build and this machine have, for bug reports."""

def command(arguments: Sequence[str], /) -> int:
    """Runs the command (cli/main.c) with these arguments, the first its name; returns its exit status.

    For `python -m tulle`: Ctrl-C ends the process, and standard output is closed."""

@final
class Dataset:
    """A table to train on or to measure: a copy, float64. Pickles and copies."""

    def __new__(
        cls,
        values: ArrayLike,  # (rows, columns)
        names: Sequence[str] | None = None,  # None: c0, c1, ...
        levels: Sequence[Sequence[str] | None] | None = None,  # of each column; None: it is numeric
        splits: bytes | None = None,  # of each row: 0 train, 1 valid, 2 test
    ) -> Dataset: ...
    @staticmethod
    def from_arrow(table: Any, /) -> Dataset:
        """From an object with `__arrow_c_stream__` (polars, pyarrow, pandas 2.2+, duckdb): numbers, booleans, text,
        dictionaries of them. Null and blank text is missing; levels are in the order of their first rows."""

    @property
    def names(self) -> list[str]: ...
    @property
    def rows(self) -> int: ...
    @property
    def splits(self) -> bytes | None: ...
    def levels(self, column: int, /) -> list[str] | None: ...
    def values(self) -> NDArray[np.float64]:
        """A copy; a number or the index of a level, nan is missing."""

@final
class Model:
    """Immutable; shared between threads at will. Pickles and copies, through the bytes of its file."""

    @staticmethod
    def load(path: _Path, /) -> Model: ...
    @classmethod
    def from_bytes(cls, data: bytes, /) -> Model: ...
    def save(self, path: _Path, /) -> None: ...
    def to_bytes(self) -> bytes: ...
    def info(self) -> dict[str, Any]:
        """struct tulle_model_info with its members' names: inputs, targets and layers are lists of dicts, settings and
        front dicts, curve a float64 array (epochs, 3), metrics {split: [a dict for each target]}."""

    def parameters(self, layer: int, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """weights (units, inputs), of the last layer with members (members, units, inputs), and biases."""

    def level(self, column: int, text: str, /) -> float:
        """The index of the level of input number `column` that the text is; nan if it is none."""

@final
class Session:
    """Scratch memory for predicting with one model. Pickles and copies."""

    def __new__(cls, model: Model, threads: int = 1) -> Session: ...
    @property
    def model(self) -> Model: ...
    def predict(self, x: ArrayLike, out: _Out | None = None) -> _Out:
        """tulle_session_predict: (rows, predictions) for (rows, inputs), (predictions,) for (inputs,). Without `out` a
        new array of float64."""

    def input_gradient(self, x: ArrayLike, dy: ArrayLike, out: _Out | None = None) -> _Out:
        """tulle_session_input_gradient."""

@final
class Trainer:
    """A network that learns from arrays. Keywords are the members of struct tulle_trainer_options, with names for
    enums; `layers` is [(units, activation)], each with dropout and parametric behind if wanted; `embeddings` is
    [(levels, dimensions)]. Not pickled or copied: see state()."""

    def __new__(cls, inputs: int, layers: Sequence[tuple[Any, ...]], **options: Any) -> Trainer: ...
    def step(self, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None) -> float: ...
    def step_gradient(self, x: ArrayLike, dy: ArrayLike) -> None: ...
    def epoch(
        self, x: ArrayLike, y: ArrayLike, order: ArrayLike | None = None, weights: ArrayLike | None = None
    ) -> float:
        """All rows, shuffled by the trainer's generator; or those of `order` as they come. weights are of the rows of
        x, in their own order."""

    def loss(self, x: ArrayLike, y: ArrayLike) -> float: ...
    def predict(self, x: ArrayLike, out: _Out | None = None) -> _Out:
        """tulle_trainer_predict. Without `out` a new array of the trainer's precision."""

    def gradient(
        self, x: ArrayLike, y: ArrayLike, weights: ArrayLike | None = None
    ) -> tuple[float, list[tuple[NDArray[np.float64], NDArray[np.float64]]]]:
        """tulle_trainer_gradient: the loss, and of each layer the derivatives by weights and by biases."""

    def input_gradient(self, x: ArrayLike, dy: ArrayLike, out: _Out | None = None) -> _Out: ...
    def parameters(self, layer: int, /) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
    def set_parameters(self, layer: int, weights: ArrayLike, biases: ArrayLike) -> None: ...
    def blend(self, other: Trainer, share: float = 1.0) -> None: ...
    def state(self) -> bytes: ...
    def set_state(self, state: bytes, /) -> None: ...
    def set_learning_rate(self, learning_rate: float, /) -> None: ...
    def model(self) -> Model: ...

def train(
    dataset: Dataset,
    targets: Sequence[str],
    *,
    progress: Callable[[dict[str, Any]], object] | None = None,
    notice: Callable[[str], object] | None = None,
    interrupted: Callable[[BaseException], object] | None = None,
    valid_dataset: Dataset | None = None,
    class_weights: Mapping[str, float] | None = None,
    **options: Any,
) -> Model:
    """tulle_train. The options are the members of struct tulle_train_options, with names for enums; None is what the
    recipe says.

    progress is called after every epoch with the members of struct tulle_progress; what is true ends training as if
    this had been the last (and, while `trial` is not 0, only the trials). What it raises comes out of train().
    notice is called with lines that are worth saying. What a signal's handler raises, as KeyboardInterrupt, comes out
    within 100 ms; with `interrupted` it, or a KeyboardInterrupt of progress, is handed to that instead, and unless
    that raises, training ends and gives the model as it is then, without metrics. Before the first step, and in
    trials, there is no model to give: it comes out."""

def evaluate(model: Model, dataset: Dataset, split: str = "all", weight_column: str | None = None) -> dict[str, Any]:
    """tulle_evaluate: metrics, a list of a dict for each target; confusion, an array or None; out_of_range, a list."""
