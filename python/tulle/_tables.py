"""Tables as users have them - arrays, pandas, polars, Arrow - as columns of numbers and of categories.

No table library is imported: columns are asked for what they know themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable

import numpy as np

USABLE = "the argument must be of strings, categories, booleans or numbers, such as the days since some date"


@dataclass
class Table:
    """Values (rows, columns) float64 or float32: numbers, indices of levels, NaN where missing."""

    values: np.ndarray
    names: list[str] | None  # None: the columns have no names
    levels: list[list[str] | None]  # of each column; None: it is numeric

    @property
    def column_names(self) -> list[str]:
        """Names in any case: c0, c1, ... where there are none."""
        return self.names if self.names is not None else [f"c{i}" for i in range(self.values.shape[1])]


def column_names(X: Any) -> list[str] | None:
    """The names of a frame's columns, as text; None for what has none."""
    names = getattr(X, "columns", None)
    if names is None or callable(names) or isinstance(names, np.ndarray):
        names = getattr(X, "column_names", None)  # Arrow's `columns` are arrays
    elif not all(isinstance(name, (str, int, np.integer)) for name in names):
        names = getattr(X, "column_names", names)
    return None if names is None or callable(names) else [str(name) for name in names]


def is_of_objects(X: Any) -> bool:
    """Whether X, no frame, may hold what is no number: an array of objects, strings or dates, or lists of such."""
    return not hasattr(X, "toarray") and _array_of(X).dtype.kind in "OUSTmM"


def _array_of(X: Any) -> np.ndarray:
    """X as an array; numbers beside text, in lists, stay numbers."""
    array = np.asarray(X)
    return np.array(X, dtype=object) if array.dtype.kind in "US" and not hasattr(X, "dtype") else array


def table_of(X: Any) -> Table:
    """Any table, its text as categories with levels in order."""
    if hasattr(X, "toarray"):
        X = X.toarray()
    names = column_names(X)
    if names is not None:
        columns = [_frame_column(X, index) for index in range(len(names))]
        return _joined([_encoded(column, name) for column, name in zip(columns, names)], names)
    X = _array_of(X)
    if X.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {X.ndim}D array instead. Reshape your data either using array.reshape(-1, 1) if "
            "your data has a single feature or array.reshape(1, -1) if it contains a single sample."
        )
    if X.dtype.kind in "fiub":
        return Table(numeric_array(X), None, [None] * X.shape[1])
    if X.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{X}\n")
    return _joined([_encoded(X[:, index], f"c{index}") for index in range(X.shape[1])], None)


def numeric_array(X: np.ndarray) -> np.ndarray:
    """X as the core takes it: float32 or float64 in native order, rows contiguous. A copy only where it is not."""
    dtype = np.dtype(np.float32 if X.dtype.kind == "f" and X.dtype.itemsize == 4 else np.float64)
    X = X.astype(dtype, copy=False)
    if not X.flags.aligned or (X.shape[1] > 1 and X.strides[1] != X.itemsize) or X.strides[0] < 0:
        return np.ascontiguousarray(X)
    return X if X.flags.c_contiguous or X.strides[0] >= X.shape[1] * X.itemsize else np.ascontiguousarray(X)


def _frame_column(X: Any, index: int) -> Any:
    """A frame's column as it is: of pandas and polars a Series, of Arrow a chunked array."""
    if hasattr(X, "iloc"):
        return X.iloc[:, index]
    if hasattr(X, "get_column"):
        return X.get_column(X.columns[index])
    if hasattr(X, "column"):
        return X.column(index)
    raise TypeError(
        f"X is a {type(X).__name__}, whose columns cannot be looked at: make a DataFrame or Arrow table of it"
    )


def _joined(columns: list[tuple[np.ndarray, list[str] | None]], names: list[str] | None) -> Table:
    rows = len(columns[0][0]) if columns else 0
    values = np.empty((rows, len(columns)))
    for index, (column, _) in enumerate(columns):
        values[:, index] = column
    return Table(values, names, [levels for _, levels in columns])


def _categories(column: Any) -> tuple[np.ndarray, list[Any]] | None:
    """Codes (negative: missing) and categories of a pandas categorical column, None of any other."""
    if not (hasattr(column, "cat") and hasattr(getattr(column, "dtype", None), "categories")):
        return None
    categories = column.dtype.categories
    if not hasattr(column.cat, "codes"):
        return None
    return np.asarray(column.cat.codes), list(categories)


def _values(column: Any) -> np.ndarray:
    """A column as a NumPy array: numbers with NaN where missing, or objects with None."""
    if isinstance(column, np.ndarray):
        return column
    dtype = getattr(column, "dtype", None)
    if getattr(dtype, "na_value", None) is not None and getattr(dtype, "kind", "O") in "iufb":
        return column.to_numpy(dtype=np.float64, na_value=np.nan)  # pandas' nullable numbers
    if str(getattr(column, "type", "")).startswith("dictionary"):
        return np.array(column.to_pylist(), dtype=object)  # Arrow's to_numpy() has no gaps there
    return np.asarray(column.to_numpy() if hasattr(column, "to_numpy") else column)


def _is_missing(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)


def text_of(value: Any) -> str:
    """A category as text; of a number that is whole without a point, as 1 and 1.0 are the same."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)


def _encoded(column: Any, name: str) -> tuple[np.ndarray, list[str] | None]:
    """A column's values, and its levels if it is of categories."""
    if (categories := _categories(column)) is not None:
        codes, known = categories
        names = [text_of(one) for one in known]
        if len(set(names)) == len(names) and all(name.strip() for name in names):
            return _used(np.where(codes < 0, np.nan, codes), names)
    values = _values(column)
    if values.dtype.kind in "fiub":
        return values.astype(np.float64, copy=False), None
    if values.dtype.kind not in "OUST":
        raise ValueError(f"column {name!r} has values of type {values.dtype}; {USABLE}")
    return _of_objects(values.tolist(), name)


def _of_objects(objects: list[Any], name: str) -> tuple[np.ndarray, list[str] | None]:
    """Numbers, if there is no text among them; else indices of levels. Each distinct object is looked at once."""
    places: dict[Any, int] = {}
    try:
        index = np.fromiter((places.setdefault(one, len(places)) for one in objects), np.intp, len(objects))
    except TypeError as error:  # of lists and such, which have no hash
        odd = next((one for one in objects if type(one).__hash__ is None), objects[0])
        raise TypeError(f"column {name!r} has values of type {type(odd).__name__}; {USABLE}") from error
    distinct = list(places)
    missing = [_is_missing(one) for one in distinct]
    if not any(isinstance(one, (str, bytes)) for one in distinct):
        return _numbers(distinct, missing, name)[index], None
    texts = [None if gap else text_of(one) for one, gap in zip(distinct, missing)]
    levels = sorted({text for text in texts if text is not None})
    code = {text: float(place) for place, text in enumerate(levels)}
    return np.array([np.nan if text is None else code[text] for text in texts])[index], levels


def _used(codes: np.ndarray, texts: list[str]) -> tuple[np.ndarray, list[str]]:
    """Only the categories that occur: a model has no use for others."""
    used = np.unique(codes[~np.isnan(codes)]).astype(int)
    place = np.full(len(texts) + 1, np.nan)
    place[used] = np.arange(len(used))
    return np.where(np.isnan(codes), np.nan, place[np.nan_to_num(codes, nan=0).astype(int)]), [texts[i] for i in used]


def _numbers(objects: list[Any], missing: list[bool], name: str) -> np.ndarray:
    numbers = np.full(len(objects), np.nan)
    for place, (one, gap) in enumerate(zip(objects, missing)):
        try:
            numbers[place] = np.nan if gap else float(one)
        except (TypeError, ValueError, OverflowError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"column {name!r} has values of type {type(one).__name__}; {USABLE}") from error
    return numbers


def columns_for(
    table: Table, inputs: Sequence[dict[str, Any]], names: Sequence[str], level: Callable[[int, str], float]
) -> np.ndarray:
    """A table's values (rows, inputs) in the order of a model's inputs, which it was trained on among `names`.

    A frame's columns are matched by name and may be more and in another order; an array's by their place. Levels are
    found as text by `level(input, text)`, and are missing where the model does not know them.
    """
    own = table.column_names if table.names is not None else list(names)
    place = {name: index for index, name in enumerate(own)}
    if lost := [one["name"] for one in inputs if one["name"] not in place]:
        raise ValueError(
            "The feature names should match those that were passed during fit.\n"
            "Feature names seen at fit time, yet now missing:\n" + "".join(f"- {name}\n" for name in lost)
        )
    chosen = [place[one["name"]] for one in inputs]
    is_numeric = all(one.get("levels") is None for one in inputs) and all(table.levels[i] is None for i in chosen)
    if is_numeric and chosen == list(range(table.values.shape[1])):
        return table.values
    values = np.empty((len(table.values), len(chosen)))
    for index, (column, one) in enumerate(zip(chosen, inputs)):
        values[:, index] = _matched(table, column, one, partial(level, index))
    return values


def _matched(table: Table, column: int, known: dict[str, Any], level: Callable[[str], float]) -> np.ndarray:
    """One column as the model has it."""
    values, levels = table.values[:, column], table.levels[column]
    if known.get("levels") is None:
        if levels is not None and not np.isnan(values).all():
            raise ValueError(f"column {known['name']!r} was numbers in fit and is text now, such as {levels[0]!r}")
        return values
    if levels is None:
        found, codes = np.unique(values[~np.isnan(values)], return_inverse=True)
        levels = [text_of(one) for one in found]
    else:
        codes = values[~np.isnan(values)].astype(int)
    result = np.full(len(values), np.nan)
    index = np.array([level(text) for text in levels], dtype=np.float64)
    result[~np.isnan(values)] = index[codes] if len(index) else np.nan
    return result
