"""What texts mean, as vectors: the seam that similarity, grouping and search share.

    Embedder.embed(texts) -> one unit row a text; near rows are texts about the same thing

    lexical     words that keep company in the archive; always there
    wordllama   a table of word vectors, joined with lexical; where the extra `semantic` is installed
    minilm      a sentence model; where an operator supplies its folder

Vectors are comparable only within one `version`: whoever keeps them keeps the version beside them. Which embedder is
used, and when it learns anew, is said in `embedders`.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Story

Matrix = NDArray[np.float32]  # (texts, dimensions), rows of length one
Arrays = Mapping[str, NDArray[Any]]  # what an embedder learned, by name

# The longest text that is looked at, in characters; abstracts have less than half of it, whole articles more.
LONGEST_TITLE = 500
LONGEST = 5_000


class Embedder(Protocol):
    """Turns texts into vectors, offline; the same text gives the same vector for as long as the version is the same."""

    @property
    def version(self) -> str:
        """What made the vectors, such as `lexical-1/300-5f1c2a90`: of another version they mean something else."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        ...

    def embed(self, texts: Sequence[str]) -> Matrix:
        """One row of length one for each text; a text without a known word gives a row of zeros."""
        ...


def text_of(title: str, summary: str) -> str:
    """What of a story is embedded: its title twice, for it says what the story is about, and its summary."""
    title = title[:LONGEST_TITLE]
    return f"{title}. {title}. {summary[:LONGEST]}"


def unit_rows(matrix: NDArray[Any]) -> Matrix:
    """The rows with length one; rows of zeros stay zeros."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    rows: Matrix = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0).astype(np.float32)
    return rows


def pack(arrays: Arrays) -> bytes:
    """What an embedder learned, as bytes that can be kept."""
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # its stub takes a name for one of its flags
    return file.getvalue()


def unpack(data: bytes) -> dict[str, NDArray[Any]]:
    """The arrays that were packed. ValueError where the bytes are something else."""
    try:
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            return dict(arrays)
    except (zipfile.BadZipFile, OSError, EOFError, TypeError, ValueError) as error:
        raise ValueError(f"these are no arrays: {error}") from None


def digest(parts: Iterable[bytes]) -> str:
    """Eight characters that differ where what was learned differs."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part)
    return hashed.hexdigest()[:8]


@dataclass(frozen=True, eq=False)
class Embedded:
    """Stories and their vectors, one row for each."""

    stories: tuple[Story, ...]
    vectors: Matrix

    @classmethod
    def of(cls, stories: Iterable[Story], embedder: Embedder) -> Embedded:
        """The stories with vectors made now."""
        told = tuple(stories)
        return cls(told, embedder.embed([text_of(story.title, story.summary) for story in told]))

    def joined(self, other: Embedded) -> Embedded:
        """These stories, then those of the other that are not among them."""
        keys = {story.key for story in self.stories}
        new = [at for at, story in enumerate(other.stories) if story.key not in keys]
        stories = (*self.stories, *(other.stories[at] for at in new))
        return Embedded(stories, np.vstack([self.vectors, other.vectors[new]]))
