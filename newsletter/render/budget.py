"""What is left out so that the mail stays whole: Gmail clips HTML near 102 KB, and the unsubscribe link with it."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

from newsletter.model import Issue, Section

HTML_LIMIT = 95_000  # bytes, after personalisation


def shorten(issue: Issue, *, keep: int) -> Issue:
    """The issue with at most `keep` stories.

    Stories go from the end of the longest section, so that no topic is lost while another has many. What a section
    loses counts as `more` in it; a section left without stories goes as a whole, the last first.
    """
    counts = [len(section.stories) for section in issue.sections]
    for _ in range(sum(counts) - keep):
        longest = max(range(len(counts)), key=lambda place: (counts[place], place))
        counts[longest] -= 1
    return replace(
        issue,
        sections=tuple(_first(section, count) for section, count in zip(issue.sections, counts, strict=True) if count),
    )


def most_that_fits(issue: Issue, *, size: Callable[[Issue], int]) -> Issue | None:
    """The issue with as many stories as fit into HTML_LIMIT, by the `size` each shorter issue has; None if none fit."""
    if size(issue) <= HTML_LIMIT:
        return issue
    too_many = bisect_left(
        range(len(issue.stories)), True, key=lambda keep: size(shorten(issue, keep=keep)) > HTML_LIMIT
    )
    return shorten(issue, keep=too_many - 1) if too_many else None


def _first(section: Section, count: int) -> Section:
    return replace(section, stories=section.stories[:count], more=section.more + len(section.stories) - count)
