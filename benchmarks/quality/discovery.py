"""Topics that nobody wrote: of those taken out of the operator's, how many are proposed again?

Two topics at a time are left out of the twelve; the papers are assigned to the other ten, and what fits none well is
handed over. A topic is found when most papers of a proposal are of it. Beside it stands what a proposal would be like
that took as many papers by chance.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean

import numpy as np

from benchmarks.quality import Missing, Row, each
from benchmarks.quality._labelled import Labelled, arxiv
from newsletter.topics.assign import assign
from newsletter.topics.discover import MOST, WEAK, Proposal, discover
from newsletter.topics.embed import Embedded, Embedder

_LEFT_OUT = 2


def rows(data: Path) -> list[Row | Missing]:
    """The share of topics found, and how pure their proposals are, for each embedder."""
    return each(partial(_rows, data))


def _rows(data: Path) -> Iterator[Row]:
    labelled = arxiv(data)
    row = partial(Row, data=f"arXiv, {len(labelled.topics)} topics, {_LEFT_OUT} left out")
    for name, embedder in labelled.embedders().items():
        found, purities, chances = [], [], []
        for start in range(0, len(labelled.topics), _LEFT_OUT):
            hidden = {topic.name for topic in labelled.topics[start : start + _LEFT_OUT]}
            labels, proposals = _proposed(labelled, embedder, hidden)
            told = Counter(labels.values())
            chances += [told[topic] / len(labels) for topic in hidden]
            majority = [Counter(labels[key] for key in proposal.stories).most_common(1)[0] for proposal in proposals]
            found += [any(topic == label for label, _ in majority) for topic in hidden]
            purities += [
                count / len(proposal.stories)
                for proposal, (label, count) in zip(proposals, majority, strict=True)
                if label in hidden
            ]
        yield row(measure=f"found among {MOST}", method=name, value=fmean(found))
        yield row(measure="share of one topic", method="by chance (baseline)", value=fmean(chances))
        yield row(measure="share of one topic", method=name, value=fmean(purities or [0.0]))


def _proposed(labelled: Labelled, embedder: Embedder, hidden: set[str]) -> tuple[dict[str, str], Sequence[Proposal]]:
    """The labels of the papers that fit no topic well, by key, and what is proposed for them."""
    papers, archive = labelled.embedded(embedder)
    topics = [topic for topic in labelled.topics if topic.name not in hidden]
    assigned = assign(papers, topics, embedder=embedder, background=archive)
    weak = np.array([at for at, one in enumerate(assigned) if one.score < WEAK])
    unplaced = Embedded(tuple(papers.stories[at] for at in weak), papers.vectors[weak])
    labels = {papers.stories[at].key: labelled.labels[at][0] for at in weak}
    return labels, discover(unplaced, archive)
