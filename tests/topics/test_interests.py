from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Story
from newsletter.topics import lexical, wordllama
from newsletter.topics.embed import Embedded, Embedder, text_of
from newsletter.topics.interests import Interests
from tests.builders import a_story

FIELDS = {
    "bread": ("sourdough starter", "proofing dough in a cold oven", "rye flour and crust", "kneading wet dough"),
    "chess": ("rook endgames", "a novelty in the Najdorf opening", "pawn structure and endgames", "opening traps"),
    "tides": ("spring tides in the estuary", "harbour levels at spring tide", "neap tides", "estuary tide gauges"),
}
STORIES = tuple(
    a_story(number, title=title.capitalize(), summary=f"A note about {field}: {title}.", tags=(field,))
    for number, (field, title) in enumerate((field, title) for field, titles in FIELDS.items() for title in titles)
)


def embedded(stories: Sequence[Story], embedder: Embedder | None = None) -> Embedded:
    """Stories with vectors, of words learned from them unless an embedder is given."""
    learned = embedder or lexical.learn([text_of(story.title, story.summary) for story in stories])
    return Embedded.of(stories, learned)


def best(scores: np.ndarray, stories: Sequence[Story], count: int) -> list[str]:
    """The fields of the stories that come first."""
    return [stories[at].tags[0] for at in np.argsort(-scores, kind="stable")[:count]]


def test_what_is_like_what_was_liked_comes_first() -> None:
    """A reader of one field gets that field first; what they disliked comes last."""
    everything = embedded(STORIES)
    interests = Interests(everything, everything)

    assert best(interests.of([0, 1]), STORIES, 4) == ["bread"] * 4
    assert best(interests.of([4], disliked=[8]), STORIES, 4) == ["chess"] * 4
    assert best(-interests.of([4], disliked=[8]), STORIES, 4) == ["tides"] * 4


def test_dislikes_count_half() -> None:
    """Who liked and disliked stories of one field still likes it, less."""
    everything = embedded(STORIES)
    interests = Interests(everything, everything)

    assert best(interests.of([0], disliked=[1]), STORIES, 3).count("bread") >= 2
    assert np.allclose(interests.of([], disliked=[1]), -0.5 * interests.of([1]))


def test_nothing_known_is_no_preference() -> None:
    """Without a like, without candidates, and with candidates that say nothing or all the same."""
    everything = embedded(STORIES)
    silent = embedded([a_story(number, title="", summary="") for number in range(3)])
    copies = embedded([a_story(number, title="Same", summary="Same") for number in range(3)])

    assert not Interests(everything, everything).of([]).any()
    assert Interests(Embedded((), everything.vectors[:0]), everything).of([0]).shape == (0,)
    assert not Interests(silent, everything).of([0]).any()
    assert not Interests(copies, copies).of([0, 1]).any()


def test_one_candidate_is_enough() -> None:
    """There is nothing to compare a single candidate with, and nothing goes wrong."""
    everything = embedded(STORIES)

    assert Interests(embedded(STORIES[:1]), everything).of([3]).tolist() == [0.0]


@pytest.mark.parametrize("text", ["大语言模型", "نماذج لغوية", "🚀", "x" * 1_000_000, "\x00", "$\\alpha$"])
def test_any_text_has_a_place(text: str) -> None:
    """Whatever a story says, every candidate gets a number."""
    stories = [*STORIES, a_story(99, title=text, summary=text)]
    everything = embedded(stories)

    assert np.isfinite(Interests(everything, everything).of([len(stories) - 1])).all()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, len(STORIES) - 1), min_size=1, max_size=5), st.permutations(range(len(STORIES))))
def test_the_order_of_candidates_does_not_matter(liked: list[int], order: list[int]) -> None:
    """A candidate has the same score wherever it stands among the others."""
    everything = embedded(STORIES)
    shuffled = Embedded(tuple(STORIES[at] for at in order), everything.vectors[order])

    scores, others = Interests(everything, everything).of(liked), Interests(shuffled, everything).of(liked)

    assert np.allclose(scores[order], others, atol=1e-5)


@pytest.mark.parametrize(("kind", "floor"), [("lexical", 0.86), ("semantic", 0.95)])
def test_readers_of_papers(kind: str, floor: float, shared_data: Path) -> None:
    """For five papers liked of a field, most of the fifteen that come first are of that field and not of three."""
    told = [json.loads(line) for line in (shared_data / "arxiv" / "topics_dev.jsonl").read_text("utf-8").splitlines()]
    papers = [
        a_story(number, title=paper["title"], summary=paper["abstract"], tags=(field,))
        for field in ("cs.RO", "cs.CR", "quant-ph", "cs.IR")
        for number, paper in enumerate([paper for paper in told if paper["label"] == field][:30])
    ]
    everything = embedded(papers, learned(kind, papers))
    interests = Interests(everything, everything)

    right = []
    for start in range(0, len(papers), 5):
        liked = list(range(start, start + 5))
        scores = interests.of(liked)
        scores[liked] = -np.inf
        right.append(best(scores, papers, 15).count(papers[start].tags[0]) / 15)

    assert np.mean(right) >= floor


def learned(kind: str, stories: Sequence[Story]) -> Embedder:
    """An embedder that learned from some stories."""
    texts = [text_of(story.title, story.summary) for story in stories]
    if kind == "lexical":
        return lexical.learn(texts)
    table = wordllama.find()
    if table is None:
        pytest.skip("needs the extra `semantic`")
    return wordllama.learn(table, texts)
