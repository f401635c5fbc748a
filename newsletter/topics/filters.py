"""Filters: what a newsletter does not want of what its sources have, and what it wants in any case.

    excluded word -> out | followed author or organisation -> kept | no included word, too few votes -> out

Also `rising`: whether a story that was sent once has become news again.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from functools import lru_cache

from newsletter.language import ENGLISH, Language
from newsletter.model import Filters, Minimum, Story
from newsletter.topics.keywords import pattern
from newsletter.topics.trending import Snapshots, count

_AGAIN_AFTER = timedelta(days=5)  # listings repeat a paper six days later
_TIMES = 2  # what a story needs of the votes it had, to be news again
_MORE = 10  # and by how many: from 1 to 2 is no rise
_NOT_LETTERS = re.compile(r"[\W\d_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A story that is not wanted, and the rule that says so."""

    story: Story
    reason: str


def keep(stories: Iterable[Story], filters: Filters) -> tuple[list[Story], list[LeftOut]]:
    """The stories that are wanted, in their order, and the others with their reasons."""
    kept, left_out = [], []
    for story in stories:
        if reason := _against(story, filters):
            left_out.append(LeftOut(story=story, reason=reason))
        else:
            kept.append(story)
    return kept, left_out


def followed(story: Story, filters: Filters) -> str:
    """The author or organisation of a story that is followed, as the story names it; empty where none is.

    Authors are the same under "Ada B. Noether" and "Noether, Ada B.", with accents and without; of an organisation
    ("Institute") a longer name is one too ("Institute of Maps").
    """
    people, groups = filters.follow.authors, filters.follow.organisations
    if people:
        wanted = {_name(author) for author in people}
        if found := next((author for author in story.authors if _name(author) in wanted), ""):
            return found
    return next((name for name in story.organisations if any(pattern(group).search(name) for group in groups)), "")


def found(words: Sequence[str], story: Story) -> str:
    """The first of the words that stands in the story's title, summary or tags; empty where none does."""
    if not words:
        return ""
    text = "\n".join((story.title, story.summary, *story.tags))
    lowered = text.lower()
    # Where the first word of a phrase is nowhere, the pattern (fifty times slower) need not look.
    return next((word for word in words if _start(word) in lowered and pattern(word).search(text)), "")


def rising(story: Story, *, told: datetime, snapshots: Snapshots, now: datetime, language: Language = ENGLISH) -> str:
    """What makes a story that was told at `told` news again, in words; empty where nothing does.

    It is, when a listing shows it anew at least five days later, with twice the votes it had when it was told and ten
    more.
    """
    if now - told < _AGAIN_AFTER or story.listed is None or story.listed < (told + _AGAIN_AFTER).date():
        return ""
    before = [votes for at, signals in snapshots if at <= told and (votes := count(signals.upvotes)) is not None]
    had, has = max(before, default=None), count(story.signals.upvotes)
    if had is None or has is None or has < max(_TIMES * had, had + _MORE):
        return ""
    return language.gettext(
        "rising again: %(now)s upvotes, %(then)s when it was sent",
        now=language.number(int(has)),
        then=language.number(int(had)),
    )


def _against(story: Story, filters: Filters) -> str:
    if word := found(filters.exclude, story):
        return f"has the excluded word '{word}'"
    if followed(story, filters):
        return ""
    if filters.include and not found(filters.include, story):
        return "has none of the included words"
    return _too_few(story, filters.minimum)


@lru_cache(maxsize=4096)
def _start(phrase: str) -> str:
    return re.split(r"[\s-]+", phrase.strip())[0].lower()


def _too_few(story: Story, minimum: Minimum) -> str:
    for signal in fields(minimum):
        least, has = getattr(minimum, signal.name), count(getattr(story.signals, signal.name))
        if has is not None and has < least:
            return f"has fewer than {least:,} {signal.name}"
    return ""


@lru_cache(maxsize=65_536)
def _name(author: str) -> str:
    """A person's name to compare: given names first, in lower case, without accents and full stops."""
    last, comma, first = author.partition(",")
    folded = unicodedata.normalize("NFKD", f"{first} {last}" if comma else author).casefold()
    bare = "".join(char for char in folded if not unicodedata.combining(char))
    return _NOT_LETTERS.sub(" ", bare).strip()
