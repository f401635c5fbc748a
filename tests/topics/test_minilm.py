from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from newsletter.errors import ConfigError
from newsletter.topics import minilm
from tests.topics import models

TEXTS = ["robots", "a graph, speech - unable", "", "naïve 模型 🎉 $ robots " * 9]

Rows = NDArray[Any]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a model in it."""
    models.write(tmp_path)
    return tmp_path


def _by_the_book(ids: Sequence[int]) -> Rows:
    """What the network makes of one text: double precision, one text and one head at a time, no padding."""
    weights = {name: tensor.astype(float) for name, tensor in models.tensors().items()}

    def linear(rows: Rows, at: str) -> Rows:
        return np.array([weights[f"{at}.weight"] @ row + weights[f"{at}.bias"] for row in rows])

    def normal(rows: Rows, at: str) -> Rows:
        scaled = [(row - row.mean()) / math.sqrt(row.var() + 1e-12) for row in rows]
        return np.array([row * weights[f"{at}.weight"] + weights[f"{at}.bias"] for row in scaled])

    def attended(rows: Rows, at: str) -> Rows:
        query, key, value = (linear(rows, f"{at}.{part}") for part in ("query", "key", "value"))
        size = models.WIDTH // models.HEADS
        heads = []
        for head in range(models.HEADS):
            mine = slice(head * size, (head + 1) * size)
            scores = np.exp(query[:, mine] @ key[:, mine].T / math.sqrt(size))
            heads.append(scores / scores.sum(axis=1, keepdims=True) @ value[:, mine])
        return np.hstack(heads)

    word, place, kind = (weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position", "token_type"))
    rows = normal(np.array([word[piece] + place[at] + kind[0] for at, piece in enumerate(ids)]), "embeddings.LayerNorm")
    for layer in range(models.LAYERS):
        at = f"encoder.layer.{layer}"
        seen = linear(attended(rows, f"{at}.attention.self"), f"{at}.attention.output.dense")
        rows = normal(rows + seen, f"{at}.attention.output.LayerNorm")
        wide = linear(rows, f"{at}.intermediate.dense")
        wide = wide * (1 + np.vectorize(math.erf)(wide / math.sqrt(2))) / 2
        rows = normal(rows + linear(wide, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    mean = rows.mean(axis=0)
    return np.array(mean / math.sqrt(mean @ mean))


def test_it_computes_what_the_network_says(folder: Path) -> None:
    """Texts of different lengths in one batch come out as each alone, by the definition of every layer."""
    model = minilm.load(folder)

    rows = model.embed(TEXTS)

    assert rows.dtype == np.float32
    for row, text in zip(rows, TEXTS, strict=True):
        assert np.allclose(row, _by_the_book(model.pieces.pieces(text, most=models.LONGEST)), atol=2e-6)


def test_many_texts_come_out_in_their_order(folder: Path) -> None:
    """Texts are put together by length, and rows are not."""
    model = minilm.load(folder)
    texts = [" ".join(["graph"] * (number % 7)) + " robots" for number in range(20)]

    assert np.allclose(model.embed(texts), np.vstack([model.embed([text]) for text in texts]), atol=1e-6)
    assert model.embed([]).shape == (0, models.WIDTH)


def test_the_weights_are_told_by_their_checksum(folder: Path) -> None:
    """So that an operator can see whether they are the official ones; other weights make another version."""
    model = minilm.load(folder)

    assert model.checksum == hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    assert model.checksum != minilm.OFFICIAL
    assert model.version == f"minilm-{model.checksum[:12]}"
    assert model.dimensions == models.WIDTH
    assert not model.learned()


def test_word_pieces_are_read_from_either_file(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A folder may have the tokenizer as JSON or the pieces as a list."""
    other = tmp_path_factory.mktemp("listed")
    models.write(other, listed=True)

    assert np.array_equal(minilm.load(folder).embed(TEXTS), minilm.load(other).embed(TEXTS))


@pytest.mark.parametrize("names", [("config.json",), ("model.safetensors", "tokenizer.json"), ("tokenizer.json",)])
def test_everything_that_is_missing_is_told_at_once(folder: Path, names: Sequence[str]) -> None:
    """An operator copies files once, not file by file."""
    for name in names:
        (folder / name).unlink()

    with pytest.raises(ConfigError) as refused:
        minilm.load(folder)

    assert all(name in str(refused.value) for name in names)
    assert str(folder) in str(refused.value)
    assert "vocab.txt" in str(refused.value) or "tokenizer.json" not in names


def _without_a_layer(folder: Path) -> None:
    kept = {name: tensor for name, tensor in models.tensors().items() if "layer.1.output.dense" not in name}
    (folder / "model.safetensors").write_bytes(models.safetensors(kept))


def _with_a_long_tail(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_attention_heads": 3}))


def _cut(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])


def _a_page(folder: Path) -> None:
    (folder / "model.safetensors").write_text("<html>404</html>")


def _no_pieces(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": {"type": "BPE"}}')


def _no_marks(folder: Path) -> None:
    (folder / "tokenizer.json").write_text('{"model": {"vocab": {"a": 0}}}')


def _no_json(folder: Path) -> None:
    (folder / "config.json").write_text("version https://git-lfs.github.com/spec/v1")


def _no_layers(folder: Path) -> None:
    (folder / "config.json").write_text("{}")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_without_a_layer, "encoder.layer.1.output.dense"),
        (_with_a_long_tail, "cannot reshape"),
        (_cut, "not a safetensors file"),
        (_a_page, "not a safetensors file"),
        (_no_pieces, "no word pieces"),
        (_no_marks, r"lack \[CLS\], \[SEP\], \[UNK\]"),
        (_no_json, "Expecting value"),
        (_no_layers, "num_hidden_layers"),
    ],
)
def test_files_of_something_else_are_refused(folder: Path, spoil: Callable[[Path], None], told: str) -> None:
    """What does not make a model is told when it is loaded, not in the middle of an issue."""
    spoil(folder)

    with pytest.raises(ConfigError, match=told):
        minilm.load(folder)
