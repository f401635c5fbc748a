"""Whether two stories are one although no key says so: the same paper in another version, the same event elsewhere.

    likeness = 0.3 · likeness of the titles + 0.7 · share of the words, each counting as much as it is rare

From `SAME` on two texts are one, from `RELATED` on they are close. A headline and its first sentence are too short for
that: reports of one event share few words, and reports of two events of one kind share many. What tells there are the
names and numbers (`particulars`): those of one event agree.

Never one, however alike: titles that differ only in numbers (a series), two papers with arXiv ids of their own, two
entries of one publisher, who lists a thing once. `make bench-quality` measures all of it.
"""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import timedelta
from difflib import SequenceMatcher
from enum import StrEnum
from functools import cached_property
from urllib.parse import urlsplit

from newsletter.model import Story
from newsletter.topics.particulars import Particulars, agreement, particulars
from newsletter.topics.rarity import Rarity
from newsletter.topics.words import STOP, words

SAME = 0.45
RELATED = 0.40
SURE = 0.85  # copies of one text, whatever else speaks against it
NO_LESS = 0.25  # with a smaller share of the words two texts are neither, whatever else they have in common

_TITLE = 0.3
_TELLING_TITLE = 3  # a title of fewer words is too common to tell stories apart
_LONGEST = 4_000  # characters of a summary that are looked at
_BRIEF = 60  # words that say something: with fewer, particulars decide
_AGREED = 0.6
_CONTRARY = 0.5  # of what an unknown name is worth
_ONE_EVENT = timedelta(days=3)  # reports further apart are about what came of it

_ARXIV_ID = re.compile(r"\b\d{4}\.\d{4,5}(?:v\d+)?\b")  # some feeds put it before the title
_NUMERAL = re.compile(r"\d+|(?<![^\W_])(?:x{0,3}(?:ix|iv|v?i{1,3}|v)|x{1,3})(?![^\W_])")
_COUNTED = re.compile(r"\b(?:part|vol|volume|no|issue|chapter|episode|edition)\b")
_LETTERS = re.compile(r"[^\W\d_]+")


class Verdict(StrEnum):
    """What two stories are to each other."""

    SAME = "same"
    RELATED = "related"
    APART = "apart"


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How like two stories are: the verdict, its score (0 to 1) and what it was reached by, for people to read."""

    verdict: Verdict
    score: float
    why: str


@dataclass(frozen=True)
class Text:
    """A story as it is compared: words are split when first asked for, and once."""

    story: Story

    @cached_property
    def summary(self) -> str:
        """As much of the summary as is looked at."""
        return self.story.summary[:_LONGEST]

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that say something, of title and summary."""
        return self.headline | (frozenset(words(self.summary)) - STOP)

    @property
    def is_brief(self) -> bool:
        """Whether it is no more than a headline and a sentence or two."""
        return len(self.words) < _BRIEF

    @cached_property
    def headline(self) -> frozenset[str]:
        """The words of the title that say something."""
        return frozenset(self.title_words) - STOP

    @cached_property
    def title_words(self) -> tuple[str, ...]:
        """The words of the title, sorted: subtitles change places from version to version."""
        return tuple(sorted(words(self.story.title[:_LONGEST])))

    @cached_property
    def numbering(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The title without its numbers, and its numbers, Arabic and Roman."""
        title = _ARXIV_ID.sub("", self.story.title[:_LONGEST].casefold())
        unnumbered = _COUNTED.sub(" ", _NUMERAL.sub(" ", title))
        return tuple(_LETTERS.findall(unnumbered)), tuple(_NUMERAL.findall(title))

    @cached_property
    def particulars(self) -> Particulars:
        """Its names and numbers."""
        return particulars(self.story.title[:_LONGEST], self.summary)

    @cached_property
    def publishers(self) -> frozenset[tuple[str, str]]:
        """Who lists it: source and host, since a source may be a list of what others publish."""
        return frozenset((mention.source, _host(mention.url)) for mention in self.story.mentions)


def compare(one: Text, two: Text, rarity: Rarity) -> Likeness:
    """What two stories are to each other, in either order; `rarity` is that of the words in the archive."""
    shared = share(one.words, two.words, rarity)
    if not (one.summary and two.summary):
        found = _by_title(one, two, share(one.headline, two.headline, rarity))
    elif shared < NO_LESS:
        return Likeness(verdict=Verdict.APART, score=shared, why=f"words {shared:.2f}")
    else:
        found = _by_text(one, two, shared)
    if found.score < SURE and (one.is_brief or two.is_brief) and shared >= NO_LESS:
        found = _by_particulars(one, two, rarity, found)
    return _capped(one, two, found)


def share(one: AbstractSet[str], two: AbstractSet[str], rarity: Rarity) -> float:
    """The words both have, by what they are worth, relative to the geometric mean of what each has: 0 to 1."""
    whole = math.sqrt(rarity.mass(one) * rarity.mass(two))
    return rarity.mass(one & two) / whole if whole else 0.0


def _by_text(one: Text, two: Text, shared: float) -> Likeness:
    titles = _title_likeness(one, two)
    score = shared if titles is None else _TITLE * titles + (1 - _TITLE) * shared
    verdict = Verdict.SAME if score >= SAME else Verdict.RELATED if score >= RELATED else Verdict.APART
    return Likeness(verdict=verdict, score=score, why=f"titles {titles or 0:.2f}, words {shared:.2f}")


def _by_title(one: Text, two: Text, shared: float) -> Likeness:
    """Where titles are all there is, they must be nearly equal."""
    titles = _title_likeness(one, two)
    score = 0.0 if titles is None else _TITLE * titles + (1 - _TITLE) * shared
    verdict = Verdict.SAME if score >= SURE else Verdict.APART
    return Likeness(verdict=verdict, score=score, why=f"titles {titles or 0:.2f}, their words {shared:.2f}")


def _title_likeness(one: Text, two: Text) -> float | None:
    """How like the titles are, 0 to 1; None where one is too short to say anything."""
    if min(len(one.headline), len(two.headline)) < _TELLING_TITLE:
        return None
    if one.title_words == two.title_words:
        return 1.0
    first, second = sorted(" ".join(text.title_words) for text in (one, two))  # the ratio depends on their order
    return SequenceMatcher(None, first, second, autojunk=False).ratio()


def _by_particulars(one: Text, two: Text, rarity: Rarity, found: Likeness) -> Likeness:
    """What is found, unless names and numbers say better."""
    agreed = agreement(one.particulars, two.particulars, one_words=one.words, two_words=two.words, rarity=rarity)
    why = f"{found.why}, names and numbers {agreed.share:.2f}"
    if agreed.share < _AGREED:
        verdict = Verdict.APART if agreed.contrary > _CONTRARY else found.verdict
        return Likeness(verdict=verdict, score=found.score, why=why)
    if one.is_brief and two.is_brief:
        verdict = Verdict.SAME if _at_one_time(one, two) else Verdict.RELATED
        return Likeness(verdict=verdict, score=max(found.score, agreed.share), why=why)
    return dataclasses.replace(found, why=why)


def _at_one_time(one: Text, two: Text) -> bool:
    first, second = (text.story.published or text.story.first_seen for text in (one, two))
    return first is None or second is None or abs(first - second) <= _ONE_EVENT


def _capped(one: Text, two: Text, found: Likeness) -> Likeness:
    """What is found, but never SAME where something says that they are two."""
    reason = _why_two(one, two) if found.verdict is Verdict.SAME else ""
    return dataclasses.replace(found, verdict=Verdict.RELATED, why=f"{found.why}, {reason}") if reason else found


def _why_two(one: Text, two: Text) -> str:
    (title, numbers), (other_title, other_numbers) = one.numbering, two.numbering
    if title == other_title and numbers != other_numbers:
        return "of a series"
    if all(text.story.key.startswith("arxiv:") for text in (one, two)) and one.story.key != two.story.key:
        return "two arXiv ids"
    if one.publishers & two.publishers:
        return "of one publisher"
    return ""


def _host(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.")
    except ValueError:
        return ""
