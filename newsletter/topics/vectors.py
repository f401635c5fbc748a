"""Vectors of an archive: kept as bytes, searched as one matrix.

    packed(matrix) -> one string of bytes a row: int8, what a database keeps
    Vectors.of(rows) | nearest(question, 100) -> the rows most like a question

Up to `EXACT_UP_TO` rows every row is compared (`X @ q`, 1 kB a row of 256 numbers in memory). Above, the signs of the
numbers choose (one bit each, Hamming distance) and the best are compared by their int8 values (288 B a row); of the
true ten nearest of a million that finds 98 in 100.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.embed import Matrix

Vector = NDArray[np.float32]  # (dimensions,)
Positions = NDArray[np.signedinteger]  # of rows
Mask = NDArray[np.bool_]  # one for each row
Codes = NDArray[np.uint64]  # (words, rows): the signs of 64 numbers in each
Rows = TypeVar("Rows", NDArray[np.int8], NDArray[np.int32], Matrix)

EXACT_UP_TO = 300_000
_RESCORED = 2_000
_SAMPLE = 10_000  # rows that tell how cosines spread
_STALE = 0.1  # so many of the rows may change before that is asked again
_WORD = 64


def packed(matrix: Matrix) -> list[bytes]:
    """Each row as int8 of its own scale, which does not matter: what is compared are directions."""
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0)
    scaled = np.rint(matrix * np.divide(127, largest, out=np.zeros_like(largest), where=largest > 0))
    return [row.tobytes() for row in scaled.astype(np.int8)]


def unpacked(rows: Sequence[bytes | None], dimensions: int) -> NDArray[np.int8]:
    """The rows that `packed` wrote as one matrix; one that is missing is all zeros, and like nothing."""
    nothing = bytes(dimensions)
    together = b"".join(nothing if row is None else row for row in rows)
    return np.frombuffer(together, np.int8).reshape(len(rows), dimensions)


def restored(rows: Sequence[bytes | None], dimensions: int) -> Matrix:
    """The rows that `packed` wrote, of length one again."""
    return _unit_rows(unpacked(rows, dimensions))


def stacked(rows: Sequence[Vector], dimensions: int) -> Matrix:
    """Vectors as the rows of a matrix, also where there are none."""
    return np.array(rows, np.float32).reshape(len(rows), dimensions)


def unit(vector: Vector) -> Vector:
    """The vector with length one; zeros stay zeros."""
    length = float(np.linalg.norm(vector))
    return vector / np.float32(length) if length else vector


class Join(Protocol):
    """How rows come together: see `Vectors.joined`."""

    def __call__(self, ours: Rows, theirs: Rows) -> Rows:
        """Ours with theirs among them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Mean and covariance of rows; they hold while no more than `good_for` rows change."""

    centre: Vector
    covariance: Matrix
    good_for: int


@dataclass(frozen=True, eq=False)
class Vectors:
    """Rows by position, as int8 (see `packed`); what is needed to compare them is made when first needed."""

    rows: NDArray[np.int8]
    exact: bool = field(default=True)

    @classmethod
    def of(cls, rows: NDArray[np.int8]) -> Vectors:
        """Compared exactly or by codes, as their number asks for."""
        return cls(rows, exact=len(rows) <= EXACT_UP_TO)

    def joined(self, rows: NDArray[np.int8], join: Join) -> Vectors:
        """With these rows, where `join` puts them; what was made of the others already is not made again."""
        joined = Vectors.of(join(self.rows, rows))
        if joined.exact and "_matrix" in vars(self):
            vars(joined)["_matrix"] = join(self._matrix, _unit_rows(rows))
        if "_spread" in vars(self) and self._spread.good_for >= len(rows):
            vars(joined)["_spread"] = replace(self._spread, good_for=self._spread.good_for - len(rows))
        return joined

    def prepare(self) -> None:
        """Make now what the first question would wait for."""
        _ = self._spread, self._matrix if self.exact else self._codes

    def nearest(self, question: Vector, most: int, *, among: Mask | None = None) -> Positions:
        """The `most` rows most like a question, the likest first; only of those that `among` marks."""
        if self.exact:
            likeness = self._matrix @ question
            if among is not None:
                likeness = np.where(among, likeness, -np.inf)
            return largest(likeness, most if among is None else min(most, int(among.sum())))
        chosen = self._by_codes(question, max(most, _RESCORED), among)
        return chosen[largest(self.likeness(question, chosen), most)]

    def likeness(self, question: Vector, positions: Positions) -> Vector:
        """The cosines of a question of length one and the rows at `positions`."""
        if self.exact:
            return self._matrix[positions] @ question
        return _unit_rows(self.rows[positions]) @ question

    def standard(self, question: Vector, positions: Positions) -> Vector:
        """The same in standard deviations from the mean of the archive, so that other scores can be added."""
        spread = self._spread
        deviation = np.sqrt(max(float(question @ spread.covariance @ question), 1e-12))
        return (self.likeness(question, positions) - float(question @ spread.centre)) / np.float32(deviation)

    def mean(self, positions: Positions) -> Vector:
        """What the rows at `positions` have in common, of length one."""
        rows = self._matrix[positions] if self.exact else _unit_rows(self.rows[positions])
        return unit(rows.sum(axis=0, dtype=np.float32))

    @cached_property
    def _matrix(self) -> Matrix:
        return _unit_rows(self.rows)

    @cached_property
    def _spread(self) -> Spread:
        """Mean and covariance of the rows: they give mean and deviation of the cosines with any question."""
        step = max(len(self.rows) // _SAMPLE, 1)
        sample = _unit_rows(self.rows[::step])
        sample = sample[sample.any(axis=1)]
        if not len(sample):
            dimensions = self.rows.shape[1]
            return Spread(np.zeros(dimensions, np.float32), np.eye(dimensions, dtype=np.float32), good_for=0)
        centre = sample.mean(axis=0)
        off = sample - centre
        return Spread(centre, off.T @ off / np.float32(len(sample)), good_for=int(_STALE * len(self.rows)))

    @cached_property
    def _codes(self) -> Codes:
        return _signs(self.rows)

    def _by_codes(self, question: Vector, most: int, among: Mask | None) -> Positions:
        distance = np.zeros(len(self.rows), np.uint16)
        for ours, theirs in zip(self._codes, _signs(question[None, :]), strict=True):
            distance += np.bitwise_count(ours ^ theirs[0])
        beyond = len(self._codes) * _WORD + 1
        if among is not None:
            distance[~among] = beyond
        # The smallest distance within which there are enough: counting is quicker than sorting.
        enough = int(np.searchsorted(np.bincount(distance, minlength=beyond)[:beyond].cumsum(), most))
        return np.flatnonzero(distance <= min(enough, beyond - 1))


def _unit_rows(rows: NDArray[np.int8]) -> Matrix:
    """Rows of length one, a block at a time: the archive may fill most of the memory."""
    matrix = np.empty(rows.shape, np.float32)
    for start in range(0, len(rows), 65_536):
        block = matrix[start : start + 65_536]
        block[:] = rows[start : start + 65_536]
        length = np.sqrt(np.einsum("ij,ij->i", block, block))[:, None]
        np.divide(block, length, out=block, where=length > 0)
    return matrix


def _signs(rows: NDArray[np.generic]) -> Codes:
    """One bit for each number, set where it is positive; a column of 64-bit words for each row."""
    spare = -rows.shape[1] % _WORD
    codes = np.empty(((rows.shape[1] + spare) // _WORD, len(rows)), np.uint64)
    for start in range(0, len(rows), 65_536):
        bits = np.pad(rows[start : start + 65_536] > 0, ((0, 0), (0, spare)))  # type: ignore[operator]
        codes[:, start : start + len(bits)] = np.packbits(bits, axis=1).view(np.uint64).T
    return codes


def largest(values: NDArray[np.floating], most: int) -> Positions:
    """The positions of the largest values, the largest first, of equals the earlier."""
    if most < len(values):
        found = np.argpartition(-values, most)[:most] if most > 0 else np.empty(0, np.intp)
    else:
        found = np.arange(len(values))
    return found[np.lexsort((found, -values[found]))]
