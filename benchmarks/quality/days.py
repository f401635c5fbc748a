"""Sections of simulated days: twenty papers drawn 150 times, and grouped as an issue would be.

Counted are pairs of papers: those that stand in one section, and those that belong together. Of a paper with several
labels that one counts in whose section it stands, else its first. What is in "More papers" stands with nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.quality import Missing, Row, each
from benchmarks.quality._labelled import NOWHERE, Labelled, arxiv, assigned, by_rules, listings
from newsletter.topics.assign import Assignment
from newsletter.topics.group import group

DAYS, PAPERS = 150, 20
TARGETS: Mapping[str, float] = {"arXiv": 0.60, "listings": 0.72}
MOST_IN_MORE = 0.25

Sections = Sequence[str | None]  # of each paper of a day; None is "More papers"


@dataclass(frozen=True, slots=True)
class Day:
    """How well one day was grouped."""

    f1: float
    sections: int
    in_more: float


def rows(data: Path) -> list[Row | Missing]:
    """Pairwise F1, the number of sections, and the share in "More papers"."""
    return each(*(partial(_rows, read, data) for read in (arxiv, listings)))


def simulated(labelled: Labelled, grouped: Callable[[Sequence[int]], Sections]) -> list[Day]:
    """The days, the same for every method."""
    draw = np.random.default_rng(7)
    size = min(PAPERS, len(labelled.papers))
    days = ([int(at) for at in draw.choice(len(labelled.papers), size, replace=False)] for _ in range(DAYS))
    return [_judged(grouped(day), [labelled.labels[at] for at in day]) for day in days]


def sections(labelled: Labelled, assignments: Sequence[Assignment], day: Sequence[int]) -> Sections:
    """As the program groups the papers of a day."""
    made = group([assignments[at] for at in day], labelled.topics)
    where = {assignment.story.key: heading.name for heading, held in made.sections.items() for assignment in held}
    return [where.get(labelled.papers[at].key) for at in day]


def _judged(found: Sections, labels: Sequence[tuple[str, ...]]) -> Day:
    right = [section if section in own else own[0] for section, own in zip(found, labels, strict=True)]
    pairs = list(combinations(range(len(found)), 2))
    together = {(a, b) for a, b in pairs if found[a] is not None and found[a] == found[b]}
    belonging = {(a, b) for a, b in pairs if right[a] == right[b] != NOWHERE}
    both = len(together & belonging)
    f1 = 2 * both / ((len(together) + len(belonging)) or 1)
    return Day(f1, len(set(found) - {None}), found.count(None) / len(found))


def _rows(read: Callable[[Path], Labelled], data: Path) -> Iterator[Row]:
    labelled = read(data)
    rules = by_rules(labelled)
    yield from _row(labelled, "keyword rules (baseline)", simulated(labelled, lambda day: [rules[at] for at in day]))
    for name, embedder in labelled.embedders().items():
        assignments = assigned(labelled, embedder)
        yield from _row(labelled, name, simulated(labelled, partial(sections, labelled, assignments)))


def _row(labelled: Labelled, method: str, days: Sequence[Day]) -> Iterator[Row]:
    where = f"{labelled.name}, {DAYS} days"
    is_measured = method == "semantic"
    f1 = fmean(day.f1 for day in days)
    yield Row(
        data=where,
        measure="pairwise F1",
        method=method,
        value=f1,
        target=TARGETS[labelled.name] if is_measured else None,
    )
    yield Row(data=where, measure="sections", method=method, value=fmean(day.sections for day in days), digits=1)
    yield Row(
        data=where,
        measure="in More papers",
        method=method,
        value=fmean(day.in_more for day in days),
        target=MOST_IN_MORE if is_measured else None,
        less_is_better=True,
        digits=2,
    )
