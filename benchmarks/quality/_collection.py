"""Papers held in memory and searched as the archive is: the same functions, without a database between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from newsletter.topics import lexical, wordllama
from newsletter.topics.bm25 import usage, weigh
from newsletter.topics.embed import Embedder, text_of
from newsletter.topics.index import Index, Placed, Shelf, Wanted
from newsletter.topics.search import indexed, question, search
from newsletter.topics.vectors import packed

Order = NDArray[np.intp]  # of all papers, the best first
Way = Callable[["Collection", str], Order]


@dataclass(frozen=True, kw_only=True)
class Collection:
    """Papers by position; `texts` and `holding` are what a database would hold."""

    embedder: Embedder
    index: Index
    texts: Mapping[int, str]
    holding: Mapping[str, Sequence[int]]

    @classmethod
    def of(cls, papers: Sequence[tuple[str, str]], embedder: Embedder) -> Collection:
        """Of titles and abstracts; a title may be left empty."""
        words = [indexed(title) * 2 + indexed(abstract) for title, abstract in papers]
        texts = {number: " ".join(held) for number, held in enumerate(words)}
        holding: dict[str, list[int]] = {}
        for number, held in enumerate(words):
            for word in set(held):
                holding.setdefault(word, []).append(number)
        vectors = packed(
            embedder.embed([text_of(title, abstract) if title else abstract for title, abstract in papers])
        )
        nowhere = Shelf("", ())
        placed = [Placed(number, date.min, nowhere, vector) for number, vector in enumerate(vectors)]
        index = Index.empty(embedder.dimensions).joined(placed)
        sampled = replace(index, usage=usage(texts.values()))
        return cls(embedder=embedder, index=sampled, texts=texts, holding=holding)

    def found(self, text: str, most: int) -> list[int]:
        """The positions of the best."""
        hits = search(
            question([text], self.embedder),
            self.index,
            holding=lambda word, some: self.holding.get(word, ())[-some:],
            texts=lambda ids: {number: self.texts[number] for number in ids},
            wanted=Wanted(),
            most=most,
        )
        return [hit.id for hit in hits]


def together(papers: Collection, text: str) -> Order:
    """Words and meaning, as a search answers."""
    found = papers.found(text, len(papers.index))
    rest = np.setdiff1d(np.arange(len(papers.index)), found)
    return np.concatenate([np.array(found, np.intp), rest])


def by_words(papers: Collection, text: str) -> Order:
    """BM25 over the eight rarest words, those in more than a tenth of the papers left out."""
    return np.argsort(-_word_scores(papers, text), kind="stable")


def by_meaning(papers: Collection, text: str) -> Order:
    """The cosine alone."""
    return np.argsort(-_cosines(papers, text), kind="stable")


def by_ranks(papers: Collection, text: str) -> Order:
    """Reciprocal rank fusion of the two (G. Cormack et al., SIGIR 2009), k = 60."""
    words = _word_scores(papers, text)
    ranks = [np.argsort(np.argsort(-scores, kind="stable")) for scores in (words, _cosines(papers, text))]
    return np.argsort(-(np.where(words > 0, 1 / (61 + ranks[0]), 0) + 1 / (61 + ranks[1])), kind="stable")


def by_scores(papers: Collection, text: str) -> Order:
    """The best score by words as one, and a sixth for each standard deviation of the cosine."""
    words, cosines = _word_scores(papers, text), _cosines(papers, text)
    scores = words / (words.max() or 1) + (cosines - cosines.mean()) / (6 * (cosines.std() or 1))
    return np.argsort(-scores, kind="stable")


WAYS: Mapping[str, Way] = {
    "words (baseline)": by_words,
    "meaning (baseline)": by_meaning,
    "ranks fused (baseline)": by_ranks,
    "scores fused (baseline)": by_scores,
    "words + meaning": together,
}


def embedders(texts: Sequence[str]) -> Mapping[str, Embedder]:
    """Each that is installed, after learning from an archive of these texts."""
    table = wordllama.find()
    ours: dict[str, Embedder] = {"lexical": lexical.learn(texts)}
    return ours if table is None else {**ours, "wordllama": wordllama.learn(table, texts)}


def _word_scores(papers: Collection, text: str) -> NDArray[np.float32]:
    usage = papers.index.usage
    worth = {word: usage.worth(word) for word in usage.rarest(dict.fromkeys(indexed(text)))}
    return weigh(list(papers.texts.values()), worth, length=usage.length)


def _cosines(papers: Collection, text: str) -> NDArray[np.float32]:
    asked = question([text], papers.embedder)
    return papers.index.vectors.likeness(asked.vector, np.arange(len(papers.index)))
