"""A sentence model small enough to be made for a test: random weights, in the files an operator would supply."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PIECES = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", ".", ",", "-", "$", "a", "b", "c", "##a", "##b", "##c", "un", "##able"),
    *("robot", "##s", "graph", "speech", "naive", "模", "型", "ка", "##т"),
)
WIDTH, WIDE, HEADS, LAYERS, LONGEST = 8, 12, 2, 2, 16

Tensors = dict[str, NDArray[Any]]


def tensors(seed: int = 1) -> Tensors:
    """Weights of every part, by the names that BERT models give them."""
    draw = np.random.default_rng(seed)

    def some(*shape: int) -> NDArray[Any]:
        return draw.normal(0, 0.5, shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": some(len(PIECES), WIDTH),
        "embeddings.position_embeddings.weight": some(LONGEST, WIDTH),
        "embeddings.token_type_embeddings.weight": some(2, WIDTH),
    }
    dense = {"intermediate.dense": (WIDE, WIDTH), "output.dense": (WIDTH, WIDE)}
    for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
        dense[part] = (WIDTH, WIDTH)
    normal = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}."
        for part, (rows, columns) in dense.items():
            made |= {f"{at}{part}.weight": some(rows, columns), f"{at}{part}.bias": some(rows)}
        normal += [f"{at}attention.output.LayerNorm", f"{at}output.LayerNorm"]
    for part in normal:
        made |= {f"{part}.weight": 1 + some(WIDTH) / 4, f"{part}.bias": some(WIDTH) / 4}
    return made


def write(folder: Path, *, listed: bool = False) -> None:
    """The files of the model; the word pieces as a plain list, or as a tokenizer tells them."""
    config = {
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "layer_norm_eps": 1e-12,
        "max_position_embeddings": LONGEST,
    }
    (folder / "config.json").write_text(json.dumps(config))
    if listed:
        (folder / "vocab.txt").write_text("\n".join(PIECES) + "\n", encoding="utf-8")
    else:
        told = {"model": {"type": "WordPiece", "vocab": {piece: at for at, piece in enumerate(PIECES)}}}
        (folder / "tokenizer.json").write_text(json.dumps(told), encoding="utf-8")
    # A buffer that older files carry beside the weights.
    places = {"embeddings.position_ids": np.arange(LONGEST, dtype=np.int64)[None]}
    (folder / "model.safetensors").write_bytes(safetensors(tensors() | places))


def safetensors(told: Tensors) -> bytes:
    """Tensors in the format of that name."""
    types = {"float32": "F32", "float16": "F16", "int64": "I64"}
    header: dict[str, Any] = {"__metadata__": {"format": "np"}}
    data = b""
    for name, tensor in told.items():
        start = len(data)
        data += tensor.tobytes()
        header[name] = {
            "dtype": types[tensor.dtype.name],
            "shape": list(tensor.shape),
            "data_offsets": [start, len(data)],
        }
    encoded = json.dumps(header).encode()
    return len(encoded).to_bytes(8, "little") + encoded + data
