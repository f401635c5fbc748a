from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from newsletter.model import Topic
from newsletter.topics.assign import Assignment, Choice
from newsletter.topics.group import Grouped, Heading, group
from tests.builders import a_story, a_topic

TEXT, CODE = a_topic("text", umbrella="Language"), a_topic("code", umbrella="Language")
IMAGES, VIDEO = a_topic("images", umbrella="Vision"), a_topic("video", umbrella="Vision")
MUSIC = a_topic("music")
TOPICS = (TEXT, IMAGES, CODE, VIDEO, MUSIC)

LANGUAGE = Heading("umbrella-language", "Language")


def assigned(number: int, *choices: tuple[Topic, float]) -> Assignment:
    """A story with its topics, the best first."""
    return Assignment(
        story=a_story(number),
        choices=tuple(
            Choice(topic=topic, score=score, likeness=score, keywords=0, neighbours=0) for topic, score in choices
        ),
    )


def a_day(*topics: Topic) -> list[Assignment]:
    """A story for each, that fits well and fits nothing else."""
    return [assigned(number, (topic, 3.0)) for number, topic in enumerate(topics)]


def told(grouped: Grouped) -> Mapping[str, list[int]]:
    """The numbers of the stories in each section, and in none."""
    found = {heading.title: stories for heading, stories in grouped.sections.items()} | {"": grouped.rest}
    numbers = {title: [int(assignment.story.key[-5:]) for assignment in stories] for title, stories in found.items()}
    return {title: stories for title, stories in numbers.items() if stories}


def test_three_stories_make_a_section() -> None:
    """A topic with as many has a heading of its own, in the order of the topics."""
    day = a_day(IMAGES, TEXT, IMAGES, TEXT, TEXT, IMAGES)

    assert list(told(group(day, TOPICS)).items()) == [("Text", [1, 3, 4]), ("Images", [0, 2, 5])]


def test_fewer_stand_together_under_their_umbrella() -> None:
    """Where the first of its topics would stand; a full topic of that umbrella keeps its own heading."""
    day = a_day(CODE, VIDEO, TEXT, VIDEO, IMAGES, VIDEO, IMAGES)

    assert list(told(group(day, TOPICS)).items()) == [("Language", [0, 2]), ("Vision", [4, 6]), ("Video", [1, 3, 5])]
    assert next(iter(group(day, TOPICS).sections)) == LANGUAGE


def test_a_topic_without_an_umbrella_is_one_of_its_own() -> None:
    """Two stories are enough for it."""
    assert told(group(a_day(MUSIC, MUSIC), TOPICS)) == {"Music": [0, 1]}


def test_nothing_stands_alone() -> None:
    """A story whose topic has no other today is in no section."""
    assert told(group(a_day(MUSIC, TEXT, IMAGES), TOPICS)) == {"": [0, 1, 2]}


def test_a_story_alone_goes_to_its_second_choice() -> None:
    """If that fits nearly as well, fits at all, and has a section."""
    full = a_day(TEXT, TEXT, TEXT)
    near = assigned(7, (MUSIC, 2.0), (TEXT, 1.5))
    far = assigned(7, (MUSIC, 2.0), (TEXT, 0.9))
    unfit = assigned(7, (MUSIC, 1.2), (TEXT, 0.9))
    closed = assigned(7, (MUSIC, 2.0), (IMAGES, 1.9), (CODE, 1.8))

    assert told(group([*full, near], TOPICS)) == {"Text": [0, 1, 2, 7]}
    assert told(group([*full, far], TOPICS)) == {"Text": [0, 1, 2], "": [7]}
    assert told(group([*full, unfit], TOPICS)) == {"Text": [0, 1, 2], "": [7]}
    assert told(group([*full, closed], TOPICS)) == {"Text": [0, 1, 2], "": [7]}


def test_what_belongs_nowhere_stays_out() -> None:
    """A story below the least score is in no section, whatever comes nearest to it."""
    assert told(group([*a_day(TEXT, TEXT, TEXT), assigned(9, (TEXT, 0.9))], TOPICS)) == {"Text": [0, 1, 2], "": [9]}


def test_a_full_section_takes_no_more() -> None:
    """Who came first stays; later ones go to their second choice, or nowhere."""
    day = [*a_day(TEXT, TEXT, TEXT, MUSIC, MUSIC, TEXT), assigned(8, (TEXT, 2.0), (MUSIC, 1.5))]

    assert told(group(day, TOPICS, most=3)) == {"Text": [0, 1, 2], "Music": [3, 4, 8], "": [5]}


def test_an_umbrella_may_be_called_as_a_topic_is() -> None:
    """Their headings differ all the same."""
    music, sound = a_topic("music", umbrella="Music"), a_topic("sound", umbrella="Music")
    names = [heading.name for heading in group(a_day(music, music, music, sound, sound), (music, sound)).sections]

    assert names == ["music", "umbrella-music"]


def test_no_stories_no_sections() -> None:
    """Nothing in, nothing out."""
    assert group([], TOPICS) == Grouped(sections={})


@given(
    st.lists(st.lists(st.tuples(st.sampled_from(TOPICS), st.floats(-3, 5)), max_size=3), max_size=25),
    st.none() | st.integers(1, 6),
)
def test_every_story_stands_once(fits: list[list[tuple[Topic, float]]], most: int | None) -> None:
    """In order, in one section or in none; no section is empty, alone or too full."""
    day = [
        assigned(number, *sorted(choices, key=lambda choice: -choice[1]))
        for number, choices in enumerate({topic: (topic, score) for topic, score in some}.values() for some in fits)
    ]

    grouped = group(day, TOPICS, most=most)

    held = list(grouped.sections.values())
    everywhere = [assignment.story.key for stories in [*held, grouped.rest] for assignment in stories]
    assert sorted(everywhere) == [assignment.story.key for assignment in day]
    assert all(len(stories) >= 1 and (most is None or len(stories) <= most) for stories in held)
    assert all(list(stories) == sorted(stories, key=lambda each: each.story.key) for stories in [*held, grouped.rest])
