"""Stories like those that a reader liked: of the twenty that come first, how many are of the same topic?

Some papers of one topic are taken for liked; the others, of all topics, are ranked. A file of half the papers has half
as many of each topic to find among the first twenty, so the first ten of it say what the first twenty of all would.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality import Missing, Row, each
from benchmarks.quality._labelled import Labelled, arxiv, ijcai
from newsletter.topics.embed import Embedded
from newsletter.topics.interests import Interests

TARGETS: Mapping[tuple[str, int], float] = {("arXiv", 5): 0.79, ("IJCAI", 5): 0.61}
_READERS = 12  # of each topic
_LIKED = (1, 5, 20)

Scores = NDArray[np.float64]
Way = Callable[[Sequence[int]], Scores]  # the positions of the papers liked -> a score for each paper


def rows(data: Path) -> list[Row | Missing]:
    """Precision among the first for one, five and twenty papers liked, beside a cosine alone."""
    return each(*(partial(_rows, read, data) for read in (arxiv, ijcai)))


def precision(way: Way, labels: Sequence[str], *, liked: int, first: int, readers: int = _READERS) -> float:
    """The share of the first that are of the topic of the papers liked, over readers of every topic."""
    draw = np.random.default_rng(7)
    known = np.array(labels)
    found = []
    for label in sorted(set(labels)):
        own = np.flatnonzero(known == label)
        for _ in range(readers):
            chosen = draw.choice(own, min(liked, len(own) // 2), replace=False)
            scores = way(chosen.tolist()).copy()
            scores[chosen] = -np.inf
            found.append(float((known[np.argsort(-scores, kind="stable")[:first]] == label).mean()))
    return float(np.mean(found))


def _rows(read: Callable[[Path], Labelled], data: Path) -> Iterator[Row]:
    labelled = read(data)
    labels = [label for label, *_ in labelled.labels]
    for name, embedder in labelled.embedders().items():
        papers, _ = labelled.embedded(embedder)
        ours = Interests(papers, papers)
        ways: dict[str, Way] = {f"{name} cosine (baseline)": partial(_cosine, papers), f"{name} and words": ours.of}
        for method, way in ways.items():
            for liked in _LIKED:
                is_aim = method == "semantic and words"
                target = TARGETS.get((labelled.name, liked)) if is_aim else None
                value = precision(way, labels, liked=liked, first=20)
                yield Row(
                    data=f"{labelled.name}, {len(labels)} papers",
                    measure=f"P@20, {liked} liked",
                    method=method,
                    value=value,
                    target=target,
                )
                if target is not None:
                    value = precision(way, labels, liked=liked, first=10)
                    yield Row(
                        data=f"{labelled.name}, {len(labels)} papers",
                        measure=f"P@10, {liked} liked",
                        method=method,
                        value=value,
                    )


def _cosine(papers: Embedded, liked: Sequence[int]) -> Scores:
    scores: Scores = (papers.vectors @ papers.vectors[list(liked)].sum(axis=0)).astype(np.float64)
    return scores
