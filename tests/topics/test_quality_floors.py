"""Doubles, taste and search may not get worse unseen; the figures are a sample of those of `make bench-quality`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest

from benchmarks.quality import _labelled, duplicates, interests, search
from benchmarks.quality._collection import Collection, embedders, together
from newsletter.topics.embed import text_of
from newsletter.topics.interests import Interests
from newsletter.topics.twins import find_twins

pytestmark = [pytest.mark.shared, pytest.mark.long]

TITLES = 20  # one title in so many is asked for


@cache
def _papers(data: Path) -> tuple[Sequence[search.Paper], Sequence[str]]:
    """The labelled papers, and the texts an archive would have learned from."""
    pool = search.read(data, "pool_*.jsonl")[: search.LEARNED]
    return search.read(data, "topics_*.jsonl"), [text_of(paper.title, paper.abstract) for paper in pool]


def test_papers_listed_twice_are_found(shared_data: Path) -> None:
    """As the second version comes, and nothing is taken for another paper."""
    _, first, second = duplicates.read(shared_data)
    told = find_twins(second, archive=first).told
    found = {key: [match.other.key for match in matches] for key, matches in told.items()}

    right = sum(key.replace("second:", "first:") in others for key, others in found.items())
    assert right / len(second) >= 0.965
    assert all(others == [key.replace("second:", "first:")] for key, others in found.items())


def test_taste_is_guessed(shared_data: Path) -> None:
    """Of ten papers for somebody who liked five, so many are of the topic they liked."""
    labelled = _labelled.ijcai(shared_data)
    papers, _ = labelled.embedded(labelled.embedders()["semantic"])
    labels = [label for label, *_ in labelled.labels]

    assert interests.precision(Interests(papers, papers).of, labels, liked=5, first=10) >= 0.63


@pytest.mark.parametrize(("embedder", "title", "topic"), [("lexical", 0.92, 0.56), ("wordllama", 0.94, 0.62)])
def test_what_is_asked_for_is_found(shared_data: Path, embedder: str, title: float, topic: float) -> None:
    """A title finds its abstract, the name of a topic the papers of it."""
    papers, background = _papers(shared_data)
    chosen = embedders(background)[embedder]
    untitled = Collection.of([("", paper.abstract) for paper in papers], chosen)
    asked = range(0, len(papers), TITLES)
    assert fmean(search.reciprocal_rank(together(untitled, papers[at].title), at) for at in asked) >= title

    titled = Collection.of([(paper.title, paper.abstract) for paper in papers], chosen)
    labels = np.array([paper.label for paper in papers])
    names = {label: told["title"] for label, told in search.topics(shared_data, "topics").items() if label in labels}
    found = [search.average_precision(together(titled, name), labels == label) for label, name in names.items()]
    assert fmean(found) >= topic
