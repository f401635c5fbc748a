"""Vectors from a sentence model that an operator supplies: all-MiniLM-L6-v2, or another of its make, in numpy.

    load(folder) -> MiniLM      config.json, tokenizer.json or vocab.txt, model.safetensors
    embed                       word pieces | BERT | mean over the pieces, of length one

The network is BERT's encoder (J. Devlin et al., https://arxiv.org/abs/1810.04805, after A. Vaswani et al.,
https://arxiv.org/abs/1706.03762); nothing is trained or fetched here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.errors import ConfigError, Problem
from newsletter.topics import tensors, wordpiece
from newsletter.topics.embed import Arrays, Matrix, unit_rows
from newsletter.topics.wordpiece import WordPiece

OFFICIAL = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"  # all-MiniLM-L6-v2's model.safetensors

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_LONGEST = 256  # pieces: what the model was trained on
_TOGETHER = 4  # texts of about one length; more would not fit the caches


@dataclass(frozen=True, eq=False, kw_only=True)
class MiniLM:
    """A sentence model; `checksum` is the SHA-256 of its weights, to be compared with `OFFICIAL`."""

    checksum: str
    pieces: WordPiece
    tensors: Mapping[str, NDArray[Any]]
    layers: int
    heads: int
    epsilon: float
    longest: int

    @property
    def version(self) -> str:
        """The beginning of the weights' checksum."""
        return f"minilm-{self.checksum[:12]}"

    @property
    def dimensions(self) -> int:
        """384 in all-MiniLM-L6-v2."""
        return int(self.tensors["embeddings.word_embeddings.weight"].shape[1])

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row of length one for each text."""
        cut = [self.pieces.pieces(text, most=self.longest) for text in texts]
        rows = np.zeros((len(texts), self.dimensions), np.float32)
        for batch in _batches(cut):
            longest = max(len(cut[at]) for at in batch)
            ids = np.array([cut[at] + [0] * (longest - len(cut[at])) for at in batch])
            there = np.array([[at < len(cut[row]) for at in range(longest)] for row in batch])
            rows[batch] = self._means(ids, there)
        return unit_rows(rows)

    def learned(self) -> Arrays:
        """Nothing: it does not learn from the archive."""
        return {}

    def _means(self, ids: NDArray[np.intp], there: NDArray[np.bool_]) -> Matrix:
        hidden = self._embedded(ids)
        hidden_from = np.where(there, np.float32(0), np.float32(-1e9))[:, None, None, :]
        for layer in range(self.layers):
            hidden = self._layer(hidden, hidden_from, f"encoder.layer.{layer}.")
        weights = there[:, :, None].astype(np.float32)
        mean: Matrix = (hidden * weights).sum(axis=1) / weights.sum(axis=1)
        return mean

    def _embedded(self, ids: NDArray[np.intp]) -> Matrix:
        words, places, kinds = (
            self.tensors[f"embeddings.{table}_embeddings.weight"] for table in ("word", "position", "token_type")
        )
        return self._normal(words[ids] + places[: ids.shape[1]] + kinds[0], "embeddings.")

    def _layer(self, hidden: Matrix, hidden_from: Matrix, at: str) -> Matrix:
        seen = self._attended(hidden, hidden_from, f"{at}attention.self.")
        hidden = self._normal(hidden + self._linear(seen, f"{at}attention.output.dense."), f"{at}attention.output.")
        wide = _gelu(self._linear(hidden, f"{at}intermediate.dense."))
        return self._normal(hidden + self._linear(wide, f"{at}output.dense."), f"{at}output.")

    def _attended(self, hidden: Matrix, hidden_from: Matrix, at: str) -> Matrix:
        texts, pieces, width = hidden.shape
        query, key, value = (
            self._linear(hidden, f"{at}{part}.").reshape(texts, pieces, self.heads, -1).transpose(0, 2, 1, 3)
            for part in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(width // self.heads)) + hidden_from
        scores = np.exp(scores - scores.max(axis=-1, keepdims=True))
        shares = scores / scores.sum(axis=-1, keepdims=True)
        joined: Matrix = (shares @ value).transpose(0, 2, 1, 3).reshape(texts, pieces, width)
        return joined

    def _linear(self, rows: Matrix, at: str) -> Matrix:
        made: Matrix = rows @ self.tensors[f"{at}weight"].T + self.tensors[f"{at}bias"]
        return made

    def _normal(self, rows: Matrix, at: str) -> Matrix:
        centred = rows - rows.mean(axis=-1, keepdims=True)
        spread = np.sqrt((centred * centred).mean(axis=-1, keepdims=True) + np.float32(self.epsilon))
        made: Matrix = centred / spread * self.tensors[f"{at}LayerNorm.weight"] + self.tensors[f"{at}LayerNorm.bias"]
        return made


def load(folder: Path) -> MiniLM:
    """The model in a folder. ConfigError names everything that is missing from it, or what cannot be read."""
    _check(folder)
    try:
        told = json.loads((folder / _CONFIG).read_text(encoding="utf-8"))
        found = {
            name: np.ascontiguousarray(tensor, np.float32)
            for name, tensor in tensors.read(folder / _WEIGHTS).items()
            if tensor.dtype.kind == "f"
        }
        model = MiniLM(
            checksum=_checksum(folder / _WEIGHTS),
            pieces=wordpiece.read(folder),
            tensors=found,
            layers=int(told["num_hidden_layers"]),
            heads=int(told["num_attention_heads"]),
            epsilon=float(told["layer_norm_eps"]),
            longest=min(_LONGEST, int(told["max_position_embeddings"])),
        )
        model.embed(["a text, to see that every tensor is there and fits"])
    except KeyError as error:
        raise _refused(folder, f"does not hold {error}") from None
    except (OSError, ValueError, TypeError, IndexError) as error:
        raise _refused(folder, str(error)) from None
    return model


def _check(folder: Path) -> None:
    missing = [name for name in (_CONFIG, _WEIGHTS) if not (folder / name).is_file()]
    if not any((folder / name).is_file() for name in ("tokenizer.json", "vocab.txt")):
        missing.append("tokenizer.json or vocab.txt")
    if missing:
        raise _refused(folder, f"there is no {', no '.join(missing)} in it")


def _refused(folder: Path, what: str) -> ConfigError:
    hint = "put the files of sentence-transformers/all-MiniLM-L6-v2 there; nothing is downloaded"
    return ConfigError([Problem(key="embedder", what=f"the model in {folder} cannot be used: {what}", hint=hint)])


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _batches(cut: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Texts of about one length together: what is filled up costs as much as what is there."""
    by_length = sorted(range(len(cut)), key=lambda at: len(cut[at]))
    for start in range(0, len(by_length), _TOGETHER):
        yield by_length[start : start + _TOGETHER]


def _gelu(rows: Matrix) -> Matrix:
    made: Matrix = rows * (np.float32(0.5) * (1 + _erf(rows * np.float32(np.sqrt(0.5)))))
    return made


def _erf(rows: Matrix) -> Matrix:
    """The error function to 1.5e-7 (M. Abramowitz, I. Stegun, Handbook of Mathematical Functions, 7.1.26)."""
    size = np.abs(rows)
    t = 1 / (1 + np.float32(0.3275911) * size)
    total = np.full_like(rows, 1.061405429)
    for term in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        total *= t
        total += np.float32(term)
    total *= t
    total *= np.exp(-size * size)
    return np.copysign(1 - total, rows)
