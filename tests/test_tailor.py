from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Edition, Issue, Preferences, Section, Story
from newsletter.tailor import asks, tailor, whole
from tests.builders import TODAY, a_story, an_issue

TOPICS = ("models", "vision", "systems")
WORDS = ("attention", "robot", "map", "RAG")
AUTHORS = ("Ada Noether", "Zoë Third", "Max Muster")


def story(number: int, title: str = "", *, authors: tuple[str, ...] = (), standing: int = 0, topic: str = "") -> Story:
    """A story with what choices look at."""
    return a_story(number, title=title or f"Story {number}", authors=authors, standing=standing, topic_name=topic)


def sections(*told: tuple[str, tuple[Story, ...]]) -> Issue:
    """An issue of these sections."""
    parts = tuple(Section(topic=topic, title=topic.title(), stories=stories) for topic, stories in told)
    return replace(an_issue(), sections=parts, headline="")


EVERYTHING = {"models": [1, 2], "vision": [3, 4], "more": [5, 6]}
ISSUE = sections(
    ("models", (story(1, "Attention for long maps", standing=90), story(2, "A robot that reads", standing=50))),
    ("vision", (story(3, "Seeing", authors=("Noether, Ada",), standing=70), story(4, "Robots see", standing=80))),
    ("more", (story(5, "Proofs", standing=99, topic="systems"), story(6, "Sums", authors=("Ada Noether",)))),
)


def kept(preferences: Preferences, issue: Issue = ISSUE) -> dict[str, list[int]]:
    """The numbers of the stories that are left, by section."""
    numbers = {each.key: int(each.key[-5:]) for each in issue.stories}
    edition = tailor(issue, preferences, topics=(*TOPICS, "more"))
    return {topic: [numbers[key] for key in keys] for topic, keys in edition.sections}


@pytest.mark.parametrize(
    ("preferences", "expected"),
    [
        (Preferences(), EVERYTHING),
        (Preferences(topics=("models",)), {"models": [1, 2]}),
        (Preferences(topics=("systems",)), {"more": [5]}),
        (Preferences(topics=("gone",)), EVERYTHING),
        (Preferences(topics=("gone", "vision")), {"vision": [3, 4]}),
        (Preferences(exclude=("robot",)), {"models": [1], "vision": [3], "more": [5, 6]}),
        (Preferences(include=("robot",)), {"models": [2], "vision": [4]}),
        (Preferences(topics=("more",), include=("map",)), {"models": [1], "more": [5, 6]}),
        (Preferences(include=("robot",), exclude=("reads",)), {"vision": [4]}),
        (Preferences(authors=("Ada Noether",)), {"models": [1, 2], "vision": [3, 4], "more": [6, 5]}),
        (Preferences(topics=("models",), authors=("ada noether",)), {"models": [1, 2], "vision": [3], "more": [6]}),
        (Preferences(topics=("vision",), authors=("Ada Noether",), exclude=("sum",)), {"vision": [3, 4]}),
        (Preferences(stories=2), {"models": [1], "more": [5]}),
        (Preferences(stories=2, authors=("Ada Noether",)), {"vision": [3], "more": [6]}),
        (Preferences(topics=("models",), exclude=("attention", "robot")), {}),
        (Preferences(cadence="weekly", hour=7, language="de", paused_until=TODAY), EVERYTHING),
    ],
)
def test_choices_decide(preferences: Preferences, expected: dict[str, list[int]]) -> None:
    """Topics, words, authors and the number of stories, each alone and against the others."""
    assert kept(preferences) == expected


def test_the_headline_is_the_best() -> None:
    """Of one story the one that the issue itself puts first is left, whatever its standing."""
    assert kept(Preferences(stories=1), replace(ISSUE, headline="Robots see")) == {"vision": [4]}


stories = st.builds(
    story,
    st.just(0),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" and ".join),
    authors=st.lists(st.sampled_from(AUTHORS), max_size=2, unique=True).map(tuple),
    standing=st.integers(0, 3),
    topic=st.sampled_from(("", *TOPICS)),
)
issues = st.lists(st.lists(stories, min_size=1, max_size=4), max_size=4).map(
    lambda told: sections(
        *(
            (topic, tuple(replace(each, key=f"{topic}:{n}") for n, each in enumerate(some)))
            for topic, some in zip((*TOPICS, "more"), told, strict=False)
        )
    )
)
some_words = st.lists(st.sampled_from(WORDS), max_size=2, unique=True).map(tuple)
choices = st.builds(
    Preferences,
    topics=st.lists(st.sampled_from((*TOPICS, "gone")), max_size=2, unique=True).map(tuple),
    include=some_words,
    exclude=some_words,
    authors=st.lists(st.sampled_from(AUTHORS), max_size=1).map(tuple),
    stories=st.none() | st.integers(1, 5),
)


def of(issue: Issue, edition: Edition) -> Issue:
    """The issue with the stories of an edition alone."""
    by_key = {each.key: each for each in issue.stories}
    titles = {section.topic: section for section in issue.sections}
    return replace(
        issue,
        sections=tuple(
            replace(titles[topic], stories=tuple(by_key[key] for key in keys)) for topic, keys in edition.sections
        ),
    )


@given(issues, choices)
def test_an_edition_is_a_part_of_its_issue(issue: Issue, preferences: Preferences) -> None:
    """Sections in their order, each story once and in its own section, in order but for followed authors; no more."""
    edition = tailor(issue, preferences, topics=TOPICS)
    order = [section.topic for section in issue.sections]
    told = {section.topic: [each.key for each in section.stories] for section in issue.sections}
    by_key = {each.key: each for each in issue.stories}

    assert [topic for topic, _ in edition.sections] == sorted({topic for topic, _ in edition.sections}, key=order.index)
    assert preferences.stories is None or len(edition.stories) <= preferences.stories
    for topic, keys in edition.sections:
        assert keys
        assert set(keys) <= set(told[topic])
        theirs = [bool(set(by_key[key].authors) & set(preferences.authors)) for key in keys]
        assert list(zip(theirs, keys, strict=True)) == sorted(
            zip(theirs, keys, strict=True), key=lambda pair: (not pair[0], told[topic].index(pair[1]))
        )


@given(issues, choices)
def test_an_edition_of_an_edition_is_itself(issue: Issue, preferences: Preferences) -> None:
    """What is left of an issue is all for the same reader."""
    edition = tailor(issue, preferences, topics=TOPICS)

    assert tailor(of(issue, edition), preferences, topics=TOPICS) == edition


@given(issues, choices)
def test_an_excluded_word_is_never_met(issue: Issue, preferences: Preferences) -> None:
    """Whatever is included, chosen and followed: without the excluded words the issue has the same edition."""
    banned = {each.key for each in issue.stories if any(word in each.title for word in preferences.exclude)}
    edition = tailor(issue, preferences, topics=TOPICS)
    parts = ((topic, tuple(key for key in keys if key not in banned)) for topic, keys in whole(issue).sections)
    rest = of(issue, Edition(sections=tuple((topic, keys) for topic, keys in parts if keys)))
    without = tailor(rest, replace(preferences, exclude=()), topics=TOPICS)

    assert not banned & set(edition.stories)
    assert edition == without


@given(issues)
def test_nothing_chosen_is_everything(issue: Issue) -> None:
    """Who chose nothing gets the whole issue; when and how often they want it changes nothing in it."""
    preferences = Preferences(cadence="weekly", hour=3, language="ar", timezone="Asia/Tokyo")

    assert asks(preferences) == Preferences()
    assert tailor(issue, preferences, topics=TOPICS) == whole(issue)
