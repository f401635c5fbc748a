"""Topics by their keywords.

A hit in the title counts three, at most twice; hits in the abstract count less and less.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from newsletter.model import Story, Topic

_TITLE_WEIGHT = 3
_TITLE_HITS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The topic of a story, None where no keyword was found; `hits` are the keywords that decided."""

    topic: Topic | None
    score: float = 0.0
    hits: tuple[str, ...] = ()


def assign(story: Story, topics: Sequence[Topic]) -> Assignment:
    """The topic whose keywords fit best.

    Of equals the earlier in `topics` wins; an `exclude` word rules a topic out.
    """
    best = Assignment(topic=None)
    for topic in topics:
        found = _judge(story, topic)
        if found.score > best.score:
            best = found
    return best


def _judge(story: Story, topic: Topic) -> Assignment:
    text = f"{story.title}\n{story.summary}"
    if any(_pattern(word).search(text) for word in topic.exclude):
        return Assignment(topic=topic)
    score, hits = 0.0, []
    for keyword in topic.keywords:
        pattern = _pattern(keyword)
        in_title = len(pattern.findall(story.title))
        in_summary = len(pattern.findall(story.summary))
        if in_title or in_summary:
            score += _TITLE_WEIGHT * min(in_title, _TITLE_HITS) + math.log1p(in_summary)
            hits.append(keyword)
    return Assignment(topic=topic, score=score, hits=tuple(hits))


@lru_cache(maxsize=4096)
def _pattern(keyword: str) -> re.Pattern[str]:
    """Whole words, in any case, the last one also in the plural; a space stands for a space or a hyphen."""
    words = (re.escape(word) for word in re.split(r"[\s-]+", keyword.strip()))
    # An abbreviation in capitals is one: "RAG" must not be found in "rag".
    flags = re.NOFLAG if keyword.isupper() else re.IGNORECASE
    return re.compile(r"(?<!\w)" + r"[\s-]+".join(words) + r"(?:s|es)?(?!\w)", flags)
