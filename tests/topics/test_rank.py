from __future__ import annotations

from newsletter.model import Mention, Signals
from newsletter.topics.rank import rank
from tests.builders import HOUR, NOON, a_story


def test_votes_first_then_what_is_newer() -> None:
    """Upvotes decide, then comments, then stars, then the date."""
    stories = [
        a_story(1, signals=Signals()),
        a_story(2, signals=Signals(upvotes=5)),
        a_story(3, signals=Signals(upvotes=5, comments=1)),
        a_story(4, signals=Signals(upvotes=5, stars=9)),
        a_story(5, signals=Signals(), published=NOON + HOUR),
    ]

    assert [story.title[-1] for story in rank(stories)] == ["3", "4", "2", "5", "1"]


def test_equal_stories_have_one_order() -> None:
    """The same stories stand in the same order, however they came."""
    stories = [a_story(number, signals=Signals()) for number in (3, 1, 2)]

    assert rank(stories) == rank(reversed(stories))


def test_the_rank_is_explained() -> None:
    """A story carries the parts of its rank in words; what is zero or unknown is not told."""
    mentions = (Mention(source="b", url=""), Mention(source="a", url=""))

    (story,) = rank([a_story(1, signals=Signals(upvotes=5, comments=0, stars=1200), mentions=mentions)])

    assert story.why == ("5 upvotes", "1200 stars", "found in a, b")
