"""Issues to render, and what a reader's slots are filled with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from newsletter.model import Issue, Newsletter, Section, Slot, Story, Token
from newsletter.render.issue import Render, open_render

WEB = "https://papers.example.org/daily-papers/2026-11-20"


@pytest.fixture
def newsletter() -> Newsletter:
    """A newsletter with everything the foot shows."""
    return Newsletter(
        name="daily-papers",
        title="Daily Papers",
        sender="Daily Papers <papers@example.org>",
        address="Example Press, 1 Sample Street, 12345 Sampletown",
    )


@pytest.fixture
def tokens() -> dict[Token, str]:
    """What one reader's slots are filled with."""
    return {
        Token.NAME: "Reader",
        Token.EMAIL: "reader@example.org",
        Token.UNSUBSCRIBE_URL: "https://papers.example.org/unsubscribe?a=1&b=2",
        Token.PREFERENCES_URL: "https://papers.example.org/preferences/abc",
        Token.WEB_URL: WEB,
    }


@pytest.fixture(scope="session")
def render() -> Render:
    """The bundled templates, compiled once for all tests."""
    return open_render(base_url="https://papers.example.org/")


@pytest.fixture(scope="session")
def an_issue() -> Callable[..., Issue]:
    """Build an issue of the given sections."""

    def build(*sections: Section, preheader: str = "One paper and no more.") -> Issue:
        at = datetime(2026, 11, 20, 8, tzinfo=UTC)
        slot = Slot(newsletter="daily-papers", schedule="weekday-morning", date=date(2026, 11, 20), at=at)
        return Issue(slot=slot, title="Daily Papers, 20 November 2026", preheader=preheader, sections=sections)

    return build


@pytest.fixture(scope="session")
def a_section() -> Callable[..., Section]:
    """Build a section of so many stories, `topic:0` and so on."""

    def build(topic: str, count: int, *, more: int = 0, title: str = "A title", summary: str = "") -> Section:
        stories = tuple(
            Story(key=f"{topic}:{n}", title=f"{title} {n}", url=f"https://example.org/{topic}/{n}", summary=summary)
            for n in range(count)
        )
        return Section(topic=topic, title=topic.capitalize(), stories=stories, more=more)

    return build
