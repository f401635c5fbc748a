from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.quality import search as quality
from benchmarks.quality._collection import Collection, by_ranks, by_words, together
from newsletter.topics import lexical, search, wordllama
from newsletter.topics.embed import Embedder, text_of
from newsletter.topics.index import Index, Wanted
from newsletter.topics.search import Question, indexed, question

BIRDS = ("Songbirds at night", "Songbirds migrate across the sea, and ornithologists count their nests and feathers.")
BREAD = ("Sourdough", "Bakers knead dough of flour, water and yeast; loaves rise slowly in a warm oven.")
STARS = ("Distant galaxies", "Telescopes watch supernovae and planets that orbit stars in the night sky.")
FEW = (BIRDS, BREAD, STARS)


@functools.cache
def few() -> Collection:
    """Three stories."""
    return Collection.of(FEW, lexical.learn([text_of(*story) for story in FEW]))


def best(text: str) -> int:
    """The position of the first answer."""
    return few().found(text, 3)[0]


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("migrating songbird", 0),
        ("rising LOAVES", 1),
        ("who knead the doughs in some oven", 1),
        ("galaxy OR -telescope", 2),
        ('"supernovae*" NEAR/3 (planet)', 2),
    ],
)
def test_words_in_any_form_find(text: str, story: int) -> None:
    """Endings, case and marks do not matter, and nothing that was typed is an operator."""
    assert best(text) == story


@settings(max_examples=50)
@given(st.text(max_size=300))
def test_any_text_is_a_question(text: str) -> None:
    """Whatever is typed, every story is an answer at most once."""
    found = few().found(text, 3)

    assert len(found) == len(set(found)) <= 3


@pytest.mark.parametrize("text", ["", " \n\t ", "\0", "the of and", "?!", "🙂🚀", "\ud800"])
def test_nothing_that_says_anything(text: str) -> None:
    """Without a word that says something there is no question, and the latest stories answer."""
    assert question([text], few().embedder).is_empty
    assert few().found(text, 2) == [2, 1]


def test_a_long_question_is_cut() -> None:
    """Of ten thousand characters the first two thousand are looked at."""
    asked = question(["bread " * 300 + "galaxies " * 2_000], few().embedder)

    assert asked.words[:2] == ("bread", "galaxi")
    assert "galaxi" not in question(["bread " * 2_000 + "galaxies"], few().embedder).words


def test_scripts_without_spaces() -> None:
    """Chinese is found by parts of what is written, Arabic by its words."""
    stories = [("大语言模型的推理", "我们研究大语言模型。"), ("تعلم الآلة", "نقدم طريقة جديدة لتعلم الآلة"), BREAD]
    archive = Collection.of(stories, lexical.learn([text_of(*story) for story in stories]))

    assert archive.found("语言模型", 3)[0] == 0
    assert archive.found("الآلة", 3)[0] == 1


def test_many_stories_make_one_question() -> None:
    """More like these: their words together, and the middle of their vectors."""
    asked = question([text_of(*BIRDS), text_of(*STARS)], few().embedder)

    assert set(asked.words) == {*indexed(" ".join(BIRDS)), *indexed(" ".join(STARS))}
    assert float(np.linalg.norm(asked.vector)) == pytest.approx(1, abs=1e-5)


def test_only_rare_words_are_looked_for() -> None:
    """Of many words a database is asked for eight, the rarest, and for none that is in more than a tenth."""
    stories = [(f"number{number}", " ".join(f"word{n}" for n in range(number))) for number in range(1, 101)]
    archive = Collection.of(stories, lexical.learn([text_of(*story) for story in stories]))
    asked: list[str] = []

    def holding(word: str, most: int) -> Sequence[int]:
        asked.append(word)
        return archive.holding[word][-most:]

    def texts(ids: Sequence[int]) -> Mapping[int, str]:
        return {story: archive.texts[story] for story in ids}

    everything = question([" ".join(f"word{n}" for n in range(99))], archive.embedder)
    search.search(everything, archive.index, holding=holding, texts=texts, wanted=Wanted(), most=5)

    assert asked == [f"word{n}" for n in range(98, 90, -1)]


def test_what_is_gone_from_the_database_scores_nothing() -> None:
    """A story deleted since the index was made is no answer that fails."""
    archive = few()
    asked = question(["songbirds"], archive.embedder)
    hits = search.search(
        asked, archive.index, holding=lambda _w, _n: [0, 99], texts=lambda _: {}, wanted=Wanted(), most=3
    )

    assert {hit.id for hit in hits} <= {0, 1, 2}


def test_an_empty_archive_answers_nothing() -> None:
    """Neither to a question nor to none."""
    embedder = few().embedder
    empty = Index.empty(embedder.dimensions)
    for asked in (question(["bread"], embedder), Question((), np.zeros(embedder.dimensions, np.float32))):
        found = search.search(asked, empty, holding=lambda _w, _n: [], texts=lambda _: {}, wanted=Wanted(), most=3)
        assert found == []


# --- on real papers: no figure may fall below what was measured, less a little


@functools.cache
def embedder(data: Path) -> Embedder:
    """The best that is installed, after learning from some papers of the pool."""
    table = wordllama.find()
    background = [text_of(paper.title, paper.abstract) for paper in quality.read(data, "pool_dev.jsonl")[:300]]
    return wordllama.learn(table, background) if table else lexical.learn(background)


def test_titles_find_their_abstracts(shared_data: Path) -> None:
    """Among 546 abstracts the own one is the first answer to its title nearly always, and more often than by words."""
    papers = quality.read(shared_data, "ijcai_dev.jsonl")
    archive = Collection.of([("", paper.abstract) for paper in papers], embedder(shared_data))
    asked = range(0, len(papers), 6)
    found = {
        way: fmean(quality.reciprocal_rank(way(archive, papers[at].title), at) for at in asked)
        for way in (together, by_words)
    }

    assert found[together] > 0.955
    assert found[together] > found[by_words]


def test_names_of_topics_find_their_papers(shared_data: Path) -> None:
    """By words and meaning together better than by fusing ranks."""
    papers = quality.read(shared_data, "topics_dev.jsonl")[::2]
    archive = Collection.of([(paper.title, paper.abstract) for paper in papers], embedder(shared_data))
    labels = np.array([paper.label for paper in papers])
    names = {label: topic["title"] for label, topic in quality.topics(shared_data, "topics").items() if label in labels}
    found = {
        way: fmean(quality.average_precision(way(archive, name), labels == label) for label, name in names.items())
        for way in (together, by_ranks)
    }

    assert found[together] > (0.62 if wordllama.find() else 0.54)
    assert found[together] > found[by_ranks]
