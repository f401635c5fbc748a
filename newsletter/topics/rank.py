"""Ranking: what readers elsewhere found worth a vote comes first, then what is newer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from datetime import UTC, datetime

from newsletter.model import Story

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


def rank(stories: Iterable[Story]) -> list[Story]:
    """The stories, best first, each with the parts of its rank in words.

    Equal ones stand in the order of their keys: the same input gives the same issue.
    """
    return [dataclasses.replace(story, why=_why(story)) for story in sorted(stories, key=_order)]


def _order(story: Story) -> tuple[int, int, int, float, str]:
    signals = story.signals
    when = (story.published or story.first_seen or _LONG_AGO).timestamp()
    return (-(signals.upvotes or 0), -(signals.comments or 0), -(signals.stars or 0), -when, story.key)


def _why(story: Story) -> tuple[str, ...]:
    counts = (("upvotes", story.signals.upvotes), ("comments", story.signals.comments), ("stars", story.signals.stars))
    parts = [f"{count} {name}" for name, count in counts if count]
    if len({mention.source for mention in story.mentions}) > 1:
        parts.append("found in " + ", ".join(sorted({mention.source for mention in story.mentions})))
    return tuple(parts)
