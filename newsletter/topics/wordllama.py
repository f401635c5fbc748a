"""Vectors from what words mean elsewhere: WordLlama's table, joined with what the archive's own words tell.

    find()                  -> the table, read from the files of the package `wordllama`, or None
    learn(table, texts)     -> WordLlama
    embed                      mean of the pieces' vectors, rare ones weighing more | minus the archive's mean
                               | beside the text's lexical vector | the 256 directions the archive uses most

The package itself is never imported: its loader looks for the tokenizer in a folder that is not there and then on the
network, and importing it changes the logging of the whole program.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.topics import lexical, tensors
from newsletter.topics.embed import Arrays, Matrix, digest, unit_rows
from newsletter.topics.lexical import Lexical

NAME = "wordllama"
DIMENSIONS = 256

_FOLDER = Path("wordllama")
_WEIGHTS = _FOLDER / "weights" / "l2_supercat_256.safetensors"
_TOKENIZER = _FOLDER / "tokenizers" / "l2_supercat_tokenizer_config.json"

# How much longer the part of the table is than the lexical one: with few stories to learn from the latter knows little.
_LEXICAL = math.sqrt(0.5)

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class Table:
    """A vector for each piece of a word, and the tokenizer that cuts words into them."""

    release: str
    vectors: Matrix  # (pieces, dimensions)
    tokenizer: Any

    def pieces(self, text: str) -> NDArray[np.intp]:
        """The pieces of a text in order, by their positions in the table."""
        # One text at a time: the tokenizer's threads for many would not survive a fork of this process.
        return np.array(self.tokenizer.encode(text, add_special_tokens=False).ids, np.intp)


@dataclass(frozen=True, eq=False, kw_only=True)
class WordLlama:
    """What was learned from `stories` stories: how rare each piece is, what they have in common, and their words."""

    table: Table
    stories: int
    weights: Matrix  # (pieces,)
    centre: Matrix  # (dimensions,)
    lexical: Lexical
    directions: Matrix  # (both dimensions, dimensions)

    @property
    def version(self) -> str:
        """The release of the table, the number of stories learned from, and a digest of what was learned."""
        return self._version

    @property
    def dimensions(self) -> int:
        """256."""
        return DIMENSIONS

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row of length one for each text; a text without a known piece gives a row of zeros."""
        pieces = [self.table.pieces(text) for text in texts]
        both = _joined(_means(self.table, pieces, self.weights, self.centre), self.lexical.embed(texts))
        return unit_rows(both @ self.directions)

    def learned(self) -> Arrays:
        """All of it but the table as arrays, for `restore`."""
        own: Arrays = {"weights": self.weights, "centre": self.centre, "turn": self.directions.astype(np.float16)}
        return {**self.lexical.learned(), **own}

    @cached_property
    def _version(self) -> str:
        learned = digest(array.tobytes() for array in self.learned().values())
        return f"{NAME}-{self.table.release}+{lexical.NAME}/{self.stories}-{learned}"


def find() -> Table | None:
    """The table of the installed package; None, with a line in the log, where it or one of its files is not there."""
    try:
        package = distribution("wordllama")
        from tokenizers import Tokenizer  # noqa: PLC0415 - it is part of an extra

        weights, tokenizer = (Path(str(package.locate_file(file))) for file in (_WEIGHTS, _TOKENIZER))
        return _table(package.version, weights, tokenizer, Tokenizer)
    except (PackageNotFoundError, ImportError):
        log.info("comparing stories by the archive's own words: the extra `semantic` is not installed")
    except (OSError, ValueError, KeyError) as error:
        log.warning("comparing stories by the archive's own words: the package wordllama is not as expected: %s", error)
    return None


@lru_cache(maxsize=1)
def _table(release: str, weights: Path, tokenizer: Path, kind: Any) -> Table:
    """Read once for all archives of this process: it takes a tenth of a second, and 33 MB."""
    return Table(
        release=release,
        vectors=tensors.read(weights)["embedding.weight"].astype(np.float32),
        tokenizer=kind.from_str(tokenizer.read_text(encoding="utf-8")),
    )


def learn(table: Table, texts: Sequence[str]) -> WordLlama:
    """Learn from the texts of an archive; from none, every piece weighs the same."""
    pieces = [table.pieces(text) for text in texts]
    weights = _weights(len(table.vectors), pieces)
    centre = np.zeros(table.vectors.shape[1], np.float32)
    if texts:
        centre = np.mean([_mean(table, each, weights) for each in pieces], axis=0, dtype=np.float32)
    words = lexical.learn(texts)
    both = _joined(_means(table, pieces, weights, centre), words.embed(texts))
    return WordLlama(
        table=table,
        stories=len(texts),
        weights=weights,
        centre=centre,
        lexical=words,
        directions=_directions(both),
    )


def restore(table: Table, learned: Arrays) -> WordLlama:
    """What `WordLlama.learned` gave. KeyError or ValueError where the arrays are something else."""
    words = lexical.restore(learned)
    if len(learned["weights"]) != len(table.vectors):
        raise ValueError("what was learned is of another table")
    return WordLlama(
        table=table,
        stories=words.stories,
        weights=learned["weights"],
        centre=learned["centre"],
        lexical=words,
        directions=learned["turn"].astype(np.float32),
    )


def _weights(count: int, pieces: Sequence[NDArray[np.intp]]) -> Matrix:
    """The square root of the inverse document frequency: the whole of it would leave the mean to a few odd names."""
    stories_with = np.zeros(count)
    for each in pieces:
        stories_with[np.unique(each)] += 1
    if not pieces:
        return np.ones(count, np.float32)
    return np.sqrt(np.maximum(np.log((len(pieces) + 1) / (stories_with + 0.5)), 0)).astype(np.float32)


def _mean(table: Table, pieces: NDArray[np.intp], weights: Matrix) -> Matrix:
    weighing = weights[pieces]
    total = float(weighing.sum())
    mean = weighing @ table.vectors[pieces] / total if total else np.zeros(table.vectors.shape[1])
    return mean.astype(np.float32)


def _means(table: Table, pieces: Sequence[NDArray[np.intp]], weights: Matrix, centre: Matrix) -> Matrix:
    """The mean of each text off the centre, of length one; a text without pieces stays zeros."""
    rows = np.zeros((len(pieces), table.vectors.shape[1]), np.float32)
    for row, each in zip(rows, pieces, strict=True):
        if len(each):
            row[:] = _mean(table, each, weights) - centre
    return unit_rows(rows)


def _joined(table: Matrix, words: Matrix) -> Matrix:
    return np.hstack([table, np.float32(_LEXICAL) * words])


def _directions(both: Matrix) -> Matrix:
    """The principal directions of the joined vectors; without stories, those of the table."""
    table_only = np.eye(both.shape[1], DIMENSIONS, dtype=np.float32)
    if not len(both):
        return table_only
    # A trace of the table's own directions decides where the stories are too few to name 256.
    second = both.T @ both / np.float32(len(both)) + np.float32(1e-4) * (table_only @ table_only.T)
    _, vectors = np.linalg.eigh(second.astype(np.float64))
    return vectors[:, ::-1][:, :DIMENSIONS].astype(np.float16).astype(np.float32)
