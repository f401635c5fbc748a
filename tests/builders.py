"""Values for tests, complete unless a test says otherwise."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.model import (
    Entry,
    Fragment,
    Issue,
    Newsletter,
    Rendered,
    Schedule,
    Section,
    Signals,
    Slot,
    Slotted,
    Story,
    Token,
    Topic,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = NOON.date()
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def an_entry(number: int = 1, **changes: Any) -> Entry:
    """A paper from a listing."""
    arxiv_id = f"2611.{number:05d}"
    values: dict[str, Any] = {
        "key": f"arxiv:{arxiv_id}",
        "source": "hf-daily",
        "guid": arxiv_id,
        "url": f"https://huggingface.co/papers/{arxiv_id}",
        "title": f"Paper number {number}",
        "summary": f"We propose method {number}. It works.",
        "authors": ("First Author", "Second Author"),
        "published": NOON - timedelta(days=1),
        "signals": Signals(upvotes=number),
    }
    return Entry(**{**values, **changes})


def a_story(number: int = 1, **changes: Any) -> Story:
    """A story with one mention."""
    values: dict[str, Any] = {
        "key": f"arxiv:2611.{number:05d}",
        "title": f"Paper number {number}",
        "url": f"https://huggingface.co/papers/2611.{number:05d}",
        "summary": f"We propose method {number}. It works.",
        "first_seen": NOON,
        "signals": Signals(upvotes=number),
    }
    return Story(**{**values, **changes})


def a_slot(day: date = TODAY, **changes: Any) -> Slot:
    """The slot of a morning."""
    values: dict[str, Any] = {
        "newsletter": "daily-papers",
        "schedule": "morning",
        "date": day,
        "at": datetime.combine(day, time(8), UTC),
    }
    return Slot(**{**values, **changes})


def an_issue(*stories: Story, slot: Slot | None = None) -> Issue:
    """An issue with one section."""
    told = stories or (a_story(1), a_story(2))
    section = Section(topic="more", title="More papers", stories=told)
    return Issue(slot=slot or a_slot(), title="Daily Papers", preheader=f"{len(told)} papers", sections=(section,))


def a_rendered(subject: str = "Daily Papers: Paper number 1") -> Rendered:
    """A rendered issue with slots in both parts."""
    slot = Slotted(token=Token.UNSUBSCRIBE_URL)
    foot = Fragment(
        kind="foot", key="", html=('<p><a href="', slot, '">Unsubscribe</a></p>\n'), text=("Unsubscribe: ", slot, "\n")
    )
    head = Fragment(kind="head", key="", html=("<h1>Daily Papers</h1>\n",), text=("Daily Papers\n",))
    return Rendered(subject=subject, fragments=(head, foot))


def a_newsletter(**changes: Any) -> Newsletter:
    """A newsletter of one source."""
    values: dict[str, Any] = {
        "name": "daily-papers",
        "title": "Daily Papers",
        "sender": "Daily Papers <papers@example.org>",
        "sources": ("hf-daily",),
    }
    return Newsletter(**{**values, **changes})


def a_topic(name: str, *keywords: str, **changes: Any) -> Topic:
    """A topic by its keywords."""
    return Topic(**{"name": name, "title": name.capitalize(), "keywords": keywords, **changes})


def a_schedule(**changes: Any) -> Schedule:
    """Every day at eight, UTC."""
    values: dict[str, Any] = {"name": "morning", "newsletter": "daily-papers", "at": (time(8),)}
    return Schedule(**{**values, **changes})
