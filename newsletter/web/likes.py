"""Who likes what, as public pages show it: how many readers, and the buttons of the one who is signed in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from newsletter.model import Newsletter, Story
from newsletter.store.issues import names
from newsletter.web.site import Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Likes:
    """Of the stories of a page, by their keys: how many like each, and which of them the reader does.

    `may_vote` is whether there are buttons: a reader is signed in, and the newsletter has votes.
    """

    counts: Mapping[str, int]
    liked: frozenset[str] = frozenset()
    may_vote: bool = False


NONE = Likes(counts={})


def likes_of(site: Site, newsletter: Newsletter, stories: Sequence[Story], *, voter: int | None = None) -> Likes:
    """Two questions to the database at most, however many stories there are; a story is meant by any of its names."""
    if not newsletter.votes:
        return NONE
    votes = site.app.store.votes
    called = {story.key: names(story) for story in stories}
    every = {name for some in called.values() for name in some}
    counted = votes.counts(newsletter.name, every)
    mine = votes.of(newsletter.name, every, voter) if voter is not None else set()
    return Likes(
        counts={key: count for key, some in called.items() if (count := sum(counted.get(name, 0) for name in some))},
        liked=frozenset(key for key, some in called.items() if mine.intersection(some)),
        may_vote=voter is not None,
    )
