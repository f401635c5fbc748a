from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.model import Issue, Section
from newsletter.render.budget import HTML_LIMIT, most_that_fits, shorten


def test_the_longest_section_gives_first(an_issue: Callable[..., Issue], a_section: Callable[..., Section]) -> None:
    """Stories go from the end of the longest section, and are counted in it."""
    issue = an_issue(a_section("a", 5, more=2), a_section("b", 3))
    after = shorten(issue, keep=5)
    assert [(section.topic, len(section.stories), section.more) for section in after.sections] == [
        ("a", 3, 4),
        ("b", 2, 1),
    ]
    assert after.sections[0].stories == issue.sections[0].stories[:3]


def test_no_section_goes_before_all_are_short(
    an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """A section loses its last story only when every section has but one, the last section first."""
    issue = an_issue(a_section("a", 2), a_section("b", 1), a_section("c", 1))
    assert [section.topic for section in shorten(issue, keep=2).sections] == ["a", "b"]
    assert shorten(issue, keep=0).sections == ()


@pytest.mark.parametrize("each", [1, 1_000, 9_500, 10_000, 47_500, 95_000])
def test_as_many_stories_as_fit_are_kept(
    each: int, an_issue: Callable[..., Issue], a_section: Callable[..., Section]
) -> None:
    """The most stories are kept with which the mail is within its limit, all of them where possible."""
    fitting = most_that_fits(an_issue(a_section("a", 20)), size=lambda issue: each * len(issue.stories))
    assert fitting is not None
    assert len(fitting.stories) == min(20, HTML_LIMIT // each)


def test_none_may_fit(an_issue: Callable[..., Issue], a_section: Callable[..., Section]) -> None:
    """When the mail is too long with no story at all there is no such issue."""
    assert most_that_fits(an_issue(a_section("a", 20)), size=lambda _: HTML_LIMIT + 1) is None
    assert most_that_fits(an_issue(), size=lambda _: HTML_LIMIT + 1) is None
