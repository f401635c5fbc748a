"""Figures, names, dates and sentences as a reader wants them. Pure functions; templates use them as filters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from urllib.parse import urlsplit

from newsletter.model import Mention, Signals, Story

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LABELS = {"code": "Code", "project": "Project page", "pdf": "PDF", "discussion": "Discussion", "related": "Related"}
_THOUSAND, _MILLION = 1_000, 1_000_000
_NOTHING = ": nothing new"
_SUBJECT = 78  # RFC 5322 section 2.1.1: what a line should not exceed

# A full stop ends a sentence when what follows looks like a new one and what precedes is not an abbreviation or an
# initial. Chinese and Japanese full stops need no space after them.
_STOP = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s+["'“‘(\[]?[^\W\d_a-zß-öø-ÿ]|\s+\d|\s*$)|[。！？]+[”’」』）]*""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|resp|approx|et al|etc|Fig|Figs|Eq|Sec|Ref|No|Dr|Prof|St|[A-Z])\.$"
)


def full_date(day: date) -> str:
    """`Friday, 20 November 2026`, whatever the locale of the process."""
    return f"{_DAYS[day.weekday()]}, {day.day} {_MONTHS[day.month - 1]} {day.year}"


def counted(number: int, noun: str) -> str:
    """`1 paper`, `12 papers`, `1,204 papers`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def compact(number: int) -> str:
    """`261`, `3.4k`, `12k`, `1.2M`: at most four characters up to a billion."""
    if number < _THOUSAND:
        return str(number)
    size, unit = (number / _THOUSAND, "k") if number < _MILLION - _THOUSAND // 2 else (number / _MILLION, "M")
    short = f"{size:.1f}".removesuffix(".0")
    return (short if len(short) <= len("9.9") else f"{size:.0f}") + unit


def names(authors: Sequence[str], count: int = 0, *, shown: int = 3) -> str:
    """`A`, `A and B`, `A, B, C and D`, `A, B, C and 12 more`.

    `count` is the number of all authors where the source gives more than it names. With no names at all the number
    alone is told, and nothing when that is unknown too.
    """
    total = max(count, len(authors))
    if not authors:
        return counted(total, "author") if total else ""
    if total == len(authors) <= shown + 1:  # "and 1 more" would take the place of the name itself
        return " and ".join(filter(None, [", ".join(authors[:-1]), authors[-1]]))
    first = authors[:shown]
    return f"{', '.join(first)} and {total - len(first):,} more"


def signals(counts: Signals) -> str:
    """`▲ 261 upvotes · 25 comments · ★ 3.4k stars`; what is zero or unknown is left out."""
    parts = (("▲ ", counts.upvotes, "upvote"), ("", counts.comments, "comment"), ("★ ", counts.stars, "star"))
    return " · ".join(
        f"{sign}{compact(number)} {noun}{'' if number == 1 else 's'}"
        for sign, number, noun in parts
        if number and number > 0
    )


def label(rel: str) -> str:
    """The words of a link to a story's code, project page, PDF or discussion; other kinds are their own words."""
    return _LABELS.get(rel, rel.capitalize() or "Link")


def elsewhere(story: Story) -> tuple[Mention, ...]:
    """Where else a story was found, each address once, three at most; not those that other lines of it show."""
    shown = {story.url, *(link.url for link in story.links)}
    others = {mention.url: mention for mention in story.mentions if mention.url and mention.url not in shown}
    return tuple(others.values())[:3]


def host(url: str) -> str:
    """`example.org`, from an address that is to be told in one word."""
    return (urlsplit(url).hostname or "").removeprefix("www.")


def clip(text: str, limit: int) -> str:
    """The text, or its beginning up to a word's end and an ellipsis, at most `limit` characters in all."""
    if len(text) <= limit:
        return text
    end = text.rfind(" ", limit // 2, limit)
    if end < 0:  # no spaces: Chinese, or a hostile title. Never part a letter from its accents or an emoji's parts.
        end = limit - 1
        while end > limit // 2 and _joins(text[end - 1 : end + 1]):
            end -= 1
    return text[:end].rstrip(" ,;:–—-(") + "…"


def sentences(text: str, count: int = 2, limit: int = 320) -> str:
    """The first whole sentences of a text: at most `count`, and no more than fit into `limit` characters.

    Only a first sentence that does not fit by itself is clipped, at a word.
    """
    ends = [end for _, end in zip(range(count), _ends(text, limit), strict=False) if end <= limit]
    return text[: ends[-1]] if ends else clip(text, limit)


def subject(newsletter: str, titles: Sequence[str]) -> str:
    """`Daily Papers: Sparse attention at a third of the cost and 11 more`, at most 78 characters.

    `titles` are those of the stories, best first. The first is cut at a word; where the newsletter's name leaves it
    too little room, the From line alone tells the name.
    """
    if not titles:
        return f"{clip(newsletter, _SUBJECT - len(_NOTHING))}{_NOTHING}"
    others = len(titles) - 1
    tail = f" and {others:,} more" if others else ""
    head = f"{newsletter}: "
    if len(head) + len(tail) > _SUBJECT // 2:
        head = ""
    return head + clip(titles[0], _SUBJECT - len(head) - len(tail)) + tail


def _ends(text: str, limit: int) -> Iterator[int]:
    """Where sentences end, as far as `limit`, and the end of the text; a long hostile text is not read on."""
    for match in _STOP.finditer(text[: limit + 3]):
        if not _ABBREVIATION.search(text[max(0, match.start() - 12) : match.start() + 1]):
            yield match.end()
    yield len(text)


def _joins(pair: str) -> bool:
    """Whether two neighbouring characters are parts of one (a mark on its letter, emoji around a joiner)."""
    joiners = "\u200d\ufe0f"
    return pair[0] == "\u200d" or pair[1] in joiners or unicodedata.category(pair[1]).startswith("M")
