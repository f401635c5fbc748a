"""The archive in memory: what a search has to know of every story to leave out most of them.

    Index.empty(256) | joined(placed) -> an index with these stories
    marked(Wanted(since=…, topics=…)) -> the rows that may answer

About 300 bytes a story above 300,000 of them, 1.2 kB below (see `vectors`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsletter.topics.bm25 import Usage
from newsletter.topics.vectors import Mask, Positions, Rows, Vectors, largest, unpacked

Ids = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which stories may answer: of these days (inclusive), topics, sources, and ids; everything by default."""

    since: date = date.min
    until: date = date.max
    topics: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    ids: Collection[int] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether it leaves nothing out."""
        return self == Wanted()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a story stands: its topic ("" for none), and the sources that have it."""

    topic: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A story as it comes into the index."""

    id: int
    day: date
    shelf: Shelf
    vector: bytes | None  # see vectors.packed


@dataclass(frozen=True, eq=False)
class Index:
    """The archive in memory, a row for each story, by ascending id. It never changes; `joined` gives a new one."""

    ids: Ids
    days: NDArray[np.int32]  # proleptic Gregorian ordinals
    shelved: NDArray[np.int32]  # on which of `shelves`
    shelves: tuple[Shelf, ...]
    vectors: Vectors
    usage: Usage = field(default_factory=Usage)

    def __len__(self) -> int:
        """The number of stories."""
        return len(self.ids)

    @classmethod
    def empty(cls, dimensions: int) -> Index:
        """Without any story."""
        nothing = np.empty(0, np.int32)
        rows = np.empty((0, dimensions), np.int8)
        return cls(np.empty(0, np.int64), nothing, nothing, (), Vectors.of(rows))

    def joined(self, placed: Sequence[Placed]) -> Index:
        """With these stories: new ones added, those known by their id replaced."""
        if not placed:
            return self
        shelves = {shelf: at for at, shelf in enumerate(self.shelves)}
        ids = np.array([one.id for one in placed], np.int64)
        known = self._rows(ids)
        is_new = known < 0
        every = np.concatenate([self.ids, ids[is_new]])
        # Of new stories the ids are higher, as a rule: then the rows stay in their places, and the rest is copying.
        order = None if (every[1:] > every[:-1]).all() else np.argsort(every)

        def with_(ours: Rows, theirs: Rows) -> Rows:
            joined = np.concatenate([ours, theirs[is_new]])
            joined[known[~is_new]] = theirs[~is_new]
            return joined if order is None else joined[order]

        days = np.array([one.day.toordinal() for one in placed], np.int32)
        shelved = np.array([shelves.setdefault(one.shelf, len(shelves)) for one in placed], np.int32)
        vectors = unpacked([one.vector for one in placed], self.vectors.rows.shape[1])
        return replace(
            self,
            ids=every if order is None else every[order],
            days=with_(self.days, days),
            shelved=with_(self.shelved, shelved),
            shelves=tuple(shelves),
            vectors=self.vectors.joined(vectors, with_),
        )

    def prepare(self) -> None:
        """Make now what the first search would wait for."""
        self.vectors.prepare()
        _ = self._row_of

    def places(self, ids: Sequence[int]) -> Positions:
        """The rows of these stories; those the index does not know are left out."""
        rows = self._rows(np.fromiter(ids, np.int64, len(ids)))
        return rows[rows >= 0]

    def of(self, story: int) -> tuple[date, Shelf]:
        """Day and shelf of a story that the index knows."""
        row = self._row_of[story]
        return date.fromordinal(int(self.days[row])), self.shelves[self.shelved[row]]

    def marked(self, wanted: Wanted) -> Mask | None:
        """The rows that are wanted; None stands for all."""
        if wanted.is_everything:
            return None
        mask = (self.days >= wanted.since.toordinal()) & (self.days <= wanted.until.toordinal())
        if wanted.topics or wanted.sources:
            mask &= np.array([_is_on(shelf, wanted) for shelf in self.shelves], bool)[self.shelved]
        if wanted.ids is not None:
            named = np.zeros(len(self), bool)
            named[self.places(list(wanted.ids))] = True
            mask &= named
        return mask

    def latest(self, wanted: Wanted, most: int) -> list[int]:
        """The ids of the stories of the latest days; of a day, those that came last."""
        mask = self.marked(wanted)
        rows = np.arange(len(self)) if mask is None else np.flatnonzero(mask)
        newest = largest(self.days[rows] + rows / max(len(self), 1), most)
        return list(self.ids[rows[newest]].tolist())

    def _rows(self, ids: Ids) -> Positions:
        """The row of each of these, -1 where there is none."""
        return np.where(ids < len(self._row_of), self._row_of[np.minimum(ids, len(self._row_of) - 1)], -1)

    @cached_property
    def _row_of(self) -> NDArray[np.int32]:
        """The row of each id, -1 where there is none: faster than looking for tens of thousands of them."""
        rows = np.full(int(self.ids[-1]) + 1 if len(self) else 1, -1, np.int32)
        rows[self.ids] = np.arange(len(self), dtype=np.int32)
        return rows


def _is_on(shelf: Shelf, wanted: Wanted) -> bool:
    return (not wanted.topics or shelf.topic in wanted.topics) and (
        not wanted.sources or not wanted.sources.isdisjoint(shelf.sources)
    )
