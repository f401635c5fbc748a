from __future__ import annotations

import pytest

from newsletter.topics.assign import assign
from tests.builders import a_story, a_topic

MODELS = a_topic("models", "LLM", "language model")
VISION = a_topic("vision", "image", "segmentation")


@pytest.mark.parametrize(
    ("title", "summary", "topic"),
    [
        ("Language models at night", "", "models"),
        ("Language-model pruning", "", "models"),
        ("LLMs", "", "models"),
        ("llm", "", None),
        ("Imagery of the mind", "", None),
        ("Something else", "An image, an IMAGE.", "vision"),
        ("A language model", "image image image image", "models"),
        ("Nothing", "", None),
        ("", "", None),
    ],
)
def test_keywords_decide(title: str, summary: str, topic: str | None) -> None:
    """Whole words in any case and number decide, the title more than the abstract; capitals mean themselves."""
    found = assign(a_story(title=title, summary=summary), [MODELS, VISION])

    assert (found.topic.name if found.topic else None) == topic


def test_the_earlier_topic_wins_a_tie() -> None:
    """Of two topics that fit alike the operator's first is taken."""
    story = a_story(title="image LLM", summary="")

    assert assign(story, [MODELS, VISION]).topic == MODELS
    assert assign(story, [VISION, MODELS]).topic == VISION


def test_an_excluded_word_rules_a_topic_out() -> None:
    """However well a topic fits, a word it excludes settles it."""
    strict = a_topic("models", "LLM", exclude=("vision",))

    assert assign(a_story(title="LLM LLM", summary="for computer vision"), [strict]).topic is None


def test_the_words_that_decided_are_told() -> None:
    """An assignment names the keywords it rests on."""
    assert assign(a_story(title="LLM", summary="a language model"), [MODELS]).hits == ("LLM", "language model")


def test_a_topic_without_keywords_takes_nothing() -> None:
    """A topic that names no words is no mistake; it stays empty."""
    assert assign(a_story(), [a_topic("empty")]).topic is None


def test_keywords_are_no_patterns() -> None:
    """Signs that mean something in patterns mean themselves."""
    assert assign(a_story(title="C++ (and more)", summary=""), [a_topic("code", "C++")]).topic is not None
