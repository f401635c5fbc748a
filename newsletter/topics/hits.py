"""Which keywords stand in which stories, and what share of them each topic has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from newsletter.model import Story, Topic
from newsletter.topics.embed import LONGEST, LONGEST_TITLE
from newsletter.topics.keywords import Keywords

_IN_TITLE = 3.0
_TITLE_HITS = 2  # more of one keyword in a title say no more
_DOUBT = 2.0  # hits that are missing: one mention of one keyword is no full share

Counts = NDArray[np.float64]  # (words, stories)


@dataclass(frozen=True, slots=True)
class Hit:
    """A keyword, and how often it is in a story."""

    keyword: str
    in_title: int
    in_summary: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Hits:
    """The keywords of topics in stories. `owners` are the topics of the keywords, by position."""

    keywords: Sequence[str]
    owners: NDArray[np.intp]
    titles: Counts
    summaries: Counts
    topics: int

    def of(self, story: int) -> Sequence[tuple[Hit, ...]]:
        """The keywords that a story has, by topic."""
        found: list[list[Hit]] = [[] for _ in range(self.topics)]
        for at in np.flatnonzero(self.titles[:, story] + self.summaries[:, story]):
            hit = Hit(self.keywords[int(at)], int(self.titles[at, story]), int(self.summaries[at, story]))
            found[self.owners[at]].append(hit)
        return [tuple(hits) for hits in found]

    def shares(self) -> NDArray[np.float64]:
        """The share of each topic in the keywords of a story, (stories, topics).

        A hit in the title counts three, at most twice; hits in the summary count less and less; and each as the square
        root of the keyword's rarity among the stories.
        """
        weights = _IN_TITLE * np.minimum(self.titles, _TITLE_HITS) + np.log1p(self.summaries)
        stories = weights.shape[1]
        rarity = np.log((stories + 1) / ((weights > 0).sum(axis=1) + 0.5)) / np.log(2 * stories + 2)
        shares = np.zeros((weights.shape[1], self.topics))
        np.add.at(shares.T, self.owners, weights * np.sqrt(np.maximum(rarity, 0))[:, None])
        of_all: NDArray[np.float64] = shares / (shares.sum(axis=1, keepdims=True) + _DOUBT)
        return of_all


Barred = Sequence[tuple[tuple[Topic, str], ...]]  # of each story, the topics that a word rules out


def look(stories: Sequence[Story], topics: Sequence[Topic]) -> tuple[Hits, Barred]:
    """Look for the topics' keywords, and for the words they exclude."""
    owned = [(at, word) for at, topic in enumerate(topics) for word in dict.fromkeys(topic.keywords)]
    hits = Hits(
        keywords=[word for _, word in owned],
        owners=np.array([at for at, _ in owned], np.intp),
        titles=_counts(Keywords([word for _, word in owned]), [story.title[:LONGEST_TITLE] for story in stories]),
        summaries=_counts(Keywords([word for _, word in owned]), [story.summary[:LONGEST] for story in stories]),
        topics=len(topics),
    )
    return hits, _barred(stories, topics)


def _counts(keywords: Keywords, texts: Sequence[str]) -> Counts:
    counts = np.zeros((len(keywords.keywords), len(texts)))
    for at, text in enumerate(texts):
        for word, count in keywords.found(text).items():
            counts[word, at] = count
    return counts


def _barred(stories: Sequence[Story], topics: Sequence[Topic]) -> Barred:
    excluded = [(topic, word) for topic in topics for word in topic.exclude]
    search = Keywords([word for _, word in excluded])
    if not excluded:
        return [()] * len(stories)
    return [
        tuple(excluded[at] for at in search.found(f"{story.title[:LONGEST_TITLE]}\n{story.summary[:LONGEST]}"))
        for story in stories
    ]
