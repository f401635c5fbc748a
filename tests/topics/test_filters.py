from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.model import Filters, Follow, Minimum, Signals, Story
from newsletter.topics.filters import followed, keep, rising
from tests.builders import NOON, a_story

DAY = timedelta(days=1)
ADA = Follow(authors=("Ada Noether",))


def why_not(story: Story, filters: Filters) -> str:
    """The reason for which a story is left out, empty where it is kept."""
    kept, left_out = keep([story], filters)
    assert len(kept) + len(left_out) == 1
    return left_out[0].reason if left_out else ""


@pytest.mark.parametrize(
    ("filters", "reason"),
    [
        (Filters(), ""),
        (Filters(exclude=("blockchain",)), ""),
        (Filters(exclude=("map",)), "has the excluded word 'map'"),
        (Filters(exclude=("folding method",)), "has the excluded word 'folding method'"),
        (Filters(exclude=("geodesy",)), "has the excluded word 'geodesy'"),
        (Filters(include=("LLM", "maps")), ""),
        (Filters(include=("LLM", "ma", "MAP")), "has none of the included words"),
        (Filters(include=("map",), exclude=("map",)), "has the excluded word 'map'"),
        (Filters(minimum=Minimum(upvotes=5)), ""),
        (Filters(minimum=Minimum(upvotes=6)), "has fewer than 6 upvotes"),
        (Filters(minimum=Minimum(stars=1000)), ""),
        (Filters(minimum=Minimum(upvotes=5, comments=2)), "has fewer than 2 comments"),
    ],
)
def test_a_story_is_kept_or_there_is_a_reason(filters: Filters, reason: str) -> None:
    """Excluded words, included words and the least number of a signal decide; a signal nobody counts does not."""
    story = a_story(
        title="Folding-methods for maps",
        summary="Something else.",
        tags=("Geodesy",),
        signals=Signals(upvotes=5, comments=1),
    )

    assert why_not(story, filters) == reason


@pytest.mark.parametrize(
    ("author", "is_ada"),
    [
        ("Ada Noether", True),
        ("ADA NOETHER", True),
        ("Noether, Ada", True),
        ("Ada Nöther", False),
        ("Adà Noéther", True),
        ("A. Noether", False),
        ("Ada B. Noether", False),
        ("Ada Noether-Walker", False),
        ("", False),
    ],
)
def test_an_author_is_followed_by_name(author: str, is_ada: bool) -> None:
    """A name is the same in any case, order and with accents; half of it is not the name."""
    story = a_story(authors=("Someone Else", author))

    assert followed(story, Filters(follow=ADA)) == (author if is_ada else "")


def test_an_organisation_is_followed_by_the_words_of_its_name() -> None:
    """A longer name of the same organisation is found, a name that only begins alike is not."""
    wanted = Filters(follow=Follow(organisations=("Institute of Maps",)))

    assert (
        followed(a_story(organisations=("The Institute of Maps at Home",)), wanted) == "The Institute of Maps at Home"
    )
    assert followed(a_story(organisations=("Institute of Mapping", "institute")), wanted) == ""


def test_who_is_followed_is_kept() -> None:
    """A followed author's story is kept without the included words and votes, and not with an excluded word."""
    story = a_story(authors=("Ada Noether",), signals=Signals(upvotes=0))
    strict = Filters(include=("kettle",), minimum=Minimum(upvotes=100))

    assert why_not(story, strict) == "has none of the included words"
    assert why_not(story, Filters(include=strict.include, minimum=strict.minimum, follow=ADA)) == ""
    assert why_not(story, Filters(exclude=("paper",), follow=ADA)) == "has the excluded word 'paper'"


def test_the_order_stays() -> None:
    """What is kept stands as it stood, and so does what is left out."""
    stories = [a_story(n, signals=Signals(upvotes=n % 3)) for n in range(9)]

    kept, left_out = keep(stories, Filters(minimum=Minimum(upvotes=1)))

    assert [story.key for story in kept] == [story.key for n, story in enumerate(stories) if n % 3]
    assert [found.story.key for found in left_out] == [story.key for n, story in enumerate(stories) if not n % 3]


def test_a_story_with_664_authors_is_read() -> None:
    """However many authors a story has, the followed one is found among them."""
    story = a_story(authors=(*(f"Author Number{n}" for n in range(663)), "Noether, Ada"))

    assert followed(story, Filters(follow=ADA)) == "Noether, Ada"


# --- rising again -------------------------------------------------------------------------------------------------

TOLD = NOON - 6 * DAY


def listed_again(*, upvotes: int | None, days: int = 6, before: int | None = 2) -> str:
    """What is said of a story told six days ago with `before` votes and listed anew `days` later."""
    story = a_story(listed=(TOLD + days * DAY).date(), signals=Signals(upvotes=upvotes))
    snapshots = [(TOLD - DAY, Signals(upvotes=1)), (TOLD, Signals(upvotes=before)), (NOON, story.signals)]
    return rising(story, told=TOLD, snapshots=snapshots if before is not None else snapshots[2:], now=NOON)


def test_a_story_listed_twice_six_days_apart_rises_again() -> None:
    """A story that a listing shows anew with many more votes is news again, and says since when."""
    assert listed_again(upvotes=42) == "rising again: 42 upvotes, 2 when it was sent"
    assert listed_again(upvotes=82, before=29) == "rising again: 82 upvotes, 29 when it was sent"


def test_not_every_story_rises_again() -> None:
    """Not one listed only once, with few votes more, with no votes known, or sent a moment ago."""
    assert listed_again(upvotes=42, days=0) == ""
    assert listed_again(upvotes=42, days=4) == ""
    assert listed_again(upvotes=11) == ""
    assert listed_again(upvotes=50, before=29) == ""
    assert listed_again(upvotes=None) == ""
    assert listed_again(upvotes=42, before=None) == ""
    assert rising(a_story(listed=NOON.date()), told=NOON - DAY, snapshots=(), now=NOON) == ""
    assert rising(a_story(listed=None), told=TOLD, snapshots=(), now=NOON) == ""
