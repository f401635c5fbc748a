"""Where things are found: the paths of stories, issues and periods below the root of the pages."""

from __future__ import annotations

from urllib.parse import quote

from newsletter.permalinks import permalink


def story_path(newsletter: str, key: str) -> str:
    """The page of a story: `/daily-papers/stories/arxiv:2611.00001`."""
    return f"/{newsletter}/stories/{permalink(key)}"


def issue_path(newsletter: str, slot: str) -> str:
    """The page of an issue, which `Links.archive_url` puts into every mail."""
    return f"/{newsletter}/{quote(slot)}"


def archive_path(newsletter: str, period: str = "") -> str:
    """The page of a day, week or month; of the whole archive without one."""
    return f"/{newsletter}/archive" + (f"/{period}" if period else "")


def topic_path(newsletter: str, topic: str) -> str:
    """The page of a topic."""
    return f"/{newsletter}/topics/{quote(topic)}"
