from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.model import Story, Topic
from newsletter.topics import lexical
from newsletter.topics.assign import Assignment, assign
from newsletter.topics.embed import Embedded, Embedder, text_of
from newsletter.topics.reasons import matched, reasons
from tests.builders import a_story, a_topic

MODELS = a_topic("models", "LLM", "language model")
VISION = a_topic("vision", "image", "segmentation")
NOTHING = lexical.learn([])

SUBJECTS = {
    "graphs": ["nodes", "edges", "paths", "trees", "cycles", "vertices", "spanning", "planar", "colouring", "matching"],
    "speech": [
        "voices",
        "microphones",
        "phonemes",
        "speakers",
        "accents",
        "vowels",
        "transcripts",
        "dialects",
        "whisper",
        "tones",
    ],
    "robots": [
        "grippers",
        "joints",
        "wheels",
        "torque",
        "grasping",
        "locomotion",
        "actuators",
        "walking",
        "legs",
        "drones",
    ],
}


def a_corpus(count: int, *, seed: int = 1) -> list[Story]:
    """Stories of three subjects in turn, six words of their own in each and a few of no subject."""
    draw = random.Random(seed)  # noqa: S311 - the same stories every time
    common = ["method", "results", "data", "approach", "study", "system"]
    stories = []
    for number in range(count):
        told = list(SUBJECTS.values())[number % 3]
        summary = " ".join([*draw.sample(told, 5), *draw.sample(common, 3)])
        stories.append(a_story(number, title=f"On {draw.choice(told)}", summary=summary))
    return stories


def learned(stories: Sequence[Story]) -> Embedder:
    """An embedder that knows these stories."""
    return lexical.learn([text_of(story.title, story.summary) for story in stories])


def one(story: Story, *topics: Topic) -> Assignment:
    """The assignment of a story on a fresh install: no archive, and nothing learned."""
    (assignment,) = assign(Embedded.of([story], NOTHING), topics, embedder=NOTHING)
    return assignment


# --- keywords alone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "summary", "topic"),
    [
        ("Language models at night", "", "models"),
        ("LLMs", "", "models"),
        ("llm", "", None),
        ("Something else", "An image, an IMAGE.", "vision"),
        ("A language model", "image image image image", "models"),
        ("Nothing", "", None),
        ("", "", None),
    ],
)
def test_keywords_decide_where_nothing_else_is_known(title: str, summary: str, topic: str | None) -> None:
    """The first issue of a fresh install has sections too; the title counts more than the abstract."""
    found = replace(one(a_story(title=title, summary=summary), MODELS, VISION), least=0.4)

    assert (found.topic.name if found.topic else None) == topic


def test_the_earlier_topic_wins_a_tie() -> None:
    """Of two topics that fit alike the operator's first is taken, and the other is the runner-up."""
    story = a_story(title="image LLM", summary="")
    found = one(story, VISION, MODELS)

    assert one(story, MODELS, VISION).choices[0].topic == MODELS
    assert found.choices[0].topic == VISION
    assert found.runner_up is not None
    assert found.runner_up.topic == MODELS


def test_an_excluded_word_rules_a_topic_out() -> None:
    """However well it fits; and the word is told."""
    strict = a_topic("models", "LLM", exclude=("vision",))
    found = one(a_story(title="LLM LLM", summary="for computer vision"), strict, VISION)

    assert strict not in [choice.topic for choice in found.choices]
    assert found.barred == ((strict, "vision"),)


def test_a_keyword_that_every_story_has_decides_little() -> None:
    """In a newsletter of language models `LLM` tells no stories apart."""
    archive = [a_story(number, title="LLM", summary="") for number in range(1, 60)]
    story = a_story(99, title="LLM image", summary="")

    (found,) = assign(
        Embedded.of([story], NOTHING), [MODELS, VISION], embedder=NOTHING, background=Embedded.of(archive, NOTHING)
    )

    assert found.choices[0].topic == VISION


# --- likeness and neighbours --------------------------------------------------------------------------------------


def test_a_description_is_enough() -> None:
    """Topics without a keyword take the stories that are like their sentence."""
    stories = a_corpus(90)
    embedder = learned(stories)
    topics = [Topic(name=name, title=name.title(), about=" ".join(words[:4])) for name, words in SUBJECTS.items()]

    found = assign(Embedded.of(stories, embedder), topics, embedder=embedder)

    right = [assignment.choices[0].topic.name == topics[at % 3].name for at, assignment in enumerate(found)]
    assert sum(right) > 80


def test_neighbours_decide_what_is_in_doubt() -> None:
    """A story that shares no word with any topic goes where the stories like it go."""
    archive = a_corpus(90)
    embedder = learned(archive)
    topics = [a_topic(name, words[0]) for name, words in SUBJECTS.items()]
    story = a_story(999, title="Joints", summary="torque, walking legs and actuators")

    (found,) = assign(
        Embedded.of([story], embedder), topics, embedder=embedder, background=Embedded.of(archive, embedder)
    )

    assert found.choices[0].topic.name == "robots"
    assert found.choices[0].neighbours > max(0, found.choices[0].keywords)


def test_examples_say_what_a_topic_is_about() -> None:
    """By key, by title, or by a title that the archive does not have."""
    archive = a_corpus(90)
    embedder = learned(archive)
    story = a_story(999, title="Walking", summary="legs, joints and torque")
    bare = [Topic(name="one", title="One"), Topic(name="other", title="Other")]

    for example in (archive[2].key, archive[2].title.upper(), "Walking legs and grippers"):
        topics = [bare[0], replace(bare[1], examples=(example, "arxiv:0000.00000"))]
        (found,) = assign(
            Embedded.of([story], embedder), topics, embedder=embedder, background=Embedded.of(archive, embedder)
        )
        assert found.choices[0].topic.name == "other"


def test_a_story_that_fits_nowhere_has_no_topic() -> None:
    """And its nearest is told all the same."""
    stories = [*a_corpus(90), a_story(999, title="Cooking", summary="soup and bread")]
    embedder = learned(stories)
    topics = [a_topic(name, *words[:3]) for name, words in SUBJECTS.items()]

    found = assign(Embedded.of(stories, embedder), topics, embedder=embedder)

    assert found[-1].topic is None
    assert len(found[-1].choices) == 3
    assert found[0].topic == topics[0]


def test_the_same_stories_are_assigned_the_same_way() -> None:
    """Whatever stands beside them in the day: an archive of some size settles what is usual."""
    archive = a_corpus(300)
    embedder = learned(archive)
    topics = [a_topic(name, *words[:2]) for name, words in SUBJECTS.items()]
    day = a_corpus(20, seed=2)
    told = {"embedder": embedder, "background": Embedded.of(archive[20:], embedder)}

    whole = assign(Embedded.of(day, embedder), topics, **told)  # type: ignore[arg-type]
    half = assign(Embedded.of(day[:10], embedder), topics, **told)  # type: ignore[arg-type]

    assert [assignment.topic for assignment in whole[:10]] == [assignment.topic for assignment in half]


# --- why ----------------------------------------------------------------------------------------------------------


def test_the_parts_add_up() -> None:
    """What an operator is told is the decision itself."""
    stories = a_corpus(60)
    embedder = learned(stories)
    topics = [a_topic(name, *words[:3]) for name, words in SUBJECTS.items()]

    for assignment in assign(Embedded.of(stories, embedder), topics, embedder=embedder):
        scores = [choice.score for choice in assignment.choices]
        assert scores == sorted(scores, reverse=True)
        for choice in assignment.choices:
            assert choice.score == pytest.approx(choice.likeness + choice.keywords + choice.neighbours, abs=1e-3)


def test_a_decision_is_explained() -> None:
    """Its parts, what came next, and what was ruled out."""
    strict = a_topic("speech", "voice", exclude=("image",))
    told = reasons(one(a_story(title="A language model", summary="LLM of an image"), MODELS, VISION, strict))

    assert len(told) == 3
    assert told[0].startswith("Models ")
    assert "(LLM, language model, in the title)" in told[0]
    assert told[1].startswith("next Vision ")
    assert told[2] == "not Speech: it has “image”"


def test_no_decision_is_explained() -> None:
    """What would have been needed is told; and without topics there is nothing to tell."""
    assert reasons(one(a_story(title="Soup", summary=""), MODELS))[0].startswith(
        "no topic: 1.0 is needed, and the best is Models"
    )
    assert reasons(one(a_story())) == ("no topic",)


def test_the_keywords_of_a_choice_are_named() -> None:
    """Those of the title first."""
    found = one(a_story(title="A language model", summary="LLM"), MODELS)

    assert matched(found.choices[0]) == "language model, LLM"


# --- bad input ----------------------------------------------------------------------------------------------------


def test_topics_of_one_name_are_two_topics() -> None:
    """Nothing here goes by names."""
    twin = replace(MODELS, keywords=("segmentation",))

    assert one(a_story(title="Segmentation", summary=""), MODELS, twin).choices[0].topic == twin


def test_a_topic_without_anything_takes_nothing() -> None:
    """A title alone is no mistake; it stays behind."""
    assert (
        one(a_story(title="image", summary=""), Topic(name="empty", title="Empty"), VISION).choices[0].topic == VISION
    )


def test_no_stories_and_no_topics() -> None:
    """Nothing in, nothing out."""
    assert assign(Embedded.of([], NOTHING), [MODELS], embedder=NOTHING) == []
    assert one(a_story()).topic is None
    assert one(a_story()).choices == ()


@pytest.mark.parametrize("count", [1, 5_000])
def test_a_day_of_one_title(count: int) -> None:
    """A source that repeats itself is no reason to stop, nor to put copies in different places."""
    stories = [a_story(number, title="A language model", summary="") for number in range(count)]
    embedder = learned(stories[:2])

    found = assign(Embedded.of(stories, embedder), [MODELS, VISION], embedder=embedder)

    assert {assignment.choices[0].topic for assignment in found} == {MODELS}
    assert len({assignment.score for assignment in found}) == 1


def test_an_abstract_as_long_as_a_book() -> None:
    """It is looked at as far as an abstract goes."""
    long = a_story(title="Image", summary="language model " * 70_000)

    assert one(long, MODELS, VISION).choices[0].hits[0].in_summary < 400


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=60)), min_size=1, max_size=6), st.text(max_size=10))
def test_any_text_gets_finite_scores(texts: list[tuple[str, str]], keyword: str) -> None:
    """Chinese, Arabic, emoji, nothing at all: each story has a score for each topic."""
    stories = [a_story(number, title=title, summary=summary) for number, (title, summary) in enumerate(texts)]
    embedder = learned(stories)

    found = assign(Embedded.of(stories, embedder), [a_topic("one", keyword), VISION], embedder=embedder)

    assert all(len(assignment.choices) == 2 for assignment in found)
    assert np.isfinite([choice.score for assignment in found for choice in assignment.choices]).all()
