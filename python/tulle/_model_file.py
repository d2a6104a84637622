"""What a model file says, read in Python: its description and its tensors (docs/format.md)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

TYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


def contents(model: Any) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The description of a `tulle.Model`, and its tensors by name."""
    data = model.to_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header.pop("__metadata__")["model"])
    tensors = {}
    for name, tensor in header.items():
        begin, end = (8 + length + offset for offset in tensor["data_offsets"])
        tensors[name] = np.frombuffer(data[begin:end], TYPES[tensor["dtype"]]).reshape(tensor["shape"])
    return description, tensors
