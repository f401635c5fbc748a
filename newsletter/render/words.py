"""Words, sentences and addresses as a reader wants them, in any language. Templates use these as filters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import urlsplit

from newsletter.model import Mention, Story

# A full stop ends a sentence when what follows looks like a new one and what precedes is not an abbreviation or an
# initial. Chinese and Japanese full stops need no space after them.
_STOP = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s+["'“‘(\[]?[^\W\d_a-zß-öø-ÿ]|\s+\d|\s*$)|[。！？]+[”’」』）]*""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|resp|approx|et al|etc|Fig|Figs|Eq|Sec|Ref|No|Dr|Prof|St|[A-Z])\.$"
)


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
