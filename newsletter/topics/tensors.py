"""Reading weights: the safetensors format, as far as the models here need it.

A file is eight bytes of length, that many bytes of JSON that name each tensor with its type, shape and place, and the
numbers (https://github.com/huggingface/safetensors#format).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_TYPES = {"F16": np.float16, "F32": np.float32, "F64": np.float64, "I64": np.int64}


def read(path: Path) -> Mapping[str, NDArray[Any]]:
    """The tensors of a file by name, those of a type not known here left out.

    OSError where the file cannot be read, ValueError where it is not of this format or cut short.
    """
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
        return {
            name: _tensor(data, 8 + length, told)
            for name, told in header.items()
            if name != "__metadata__" and told["dtype"] in _TYPES
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is not a safetensors file, or not a whole one: {error}") from None


def _tensor(data: bytes, start: int, told: Mapping[str, Any]) -> NDArray[Any]:
    begin, end = told["data_offsets"]
    numbers = np.frombuffer(data[start + begin : start + end], _TYPES[told["dtype"]])
    return numbers.reshape(told["shape"])
