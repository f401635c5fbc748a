from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.topics import tensors
from tests.topics import models


def test_tensors_come_back_by_name(tmp_path: Path) -> None:
    """Half, single precision and whole numbers, of any shape."""
    told: models.Tensors = {
        "a": np.ones((2, 3), np.float16),
        "b": np.arange(4, dtype=np.int64),
        "c": np.zeros((0, 5), np.float32),
    }
    path = tmp_path / "some.safetensors"
    path.write_bytes(models.safetensors(told))

    found = tensors.read(path)

    assert {name: (tensor.dtype, tensor.shape) for name, tensor in found.items()} == {
        name: (tensor.dtype, tensor.shape) for name, tensor in told.items()
    }
    assert all(np.array_equal(found[name], told[name]) for name in told)


@given(st.binary(max_size=60))
def test_other_bytes_are_refused(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Nothing but a ValueError comes of a file of something else."""
    path = tmp_path_factory.getbasetemp() / "other"
    path.write_bytes(data)

    with pytest.raises(ValueError, match="not a safetensors file"):
        tensors.read(path)


def test_a_tensor_beyond_the_end_is_refused(tmp_path: Path) -> None:
    """A download that was cut is told apart from a model."""
    path = tmp_path / "cut"
    path.write_bytes(models.safetensors({"a": np.ones(9, np.float32)})[:-1])

    with pytest.raises(ValueError, match="not a whole one"):
        tensors.read(path)
