"""Sizes of a page, which are too large for a case, and what stands in the findings."""

from __future__ import annotations

import pytest

from newsletter.render.lint import links, lint_page, lint_template
from newsletter.render.lint.colours import contrast, read_colour
from newsletter.render.lint.finding import Severity, has_errors
from newsletter.render.lint.rules import RULES
from newsletter.render.lint.support import ACCEPTED
from newsletter.render.lint.tables import features, mjml


def _rules(html: str) -> set[str]:
    return {finding.rule for finding in lint_page(html, path="page")}


@pytest.mark.parametrize(
    ("size", "rule"), [(80_000, ""), (80_001, "html-nearly-full"), (95_000, "html-nearly-full"), (95_001, "html-size")]
)
def test_size_in_bytes(size: int, rule: str) -> None:
    """Bytes are counted, not characters; nearly full is a warning and too much an error, never both."""
    html = "é" * (size // 2) + "x" * (size % 2)

    assert _rules(html) & {"html-size", "html-nearly-full"} == ({rule} if rule else set())


def test_size_of_styles() -> None:
    """All style blocks count together, and inline styles do not."""
    block = f"<style>{' ' * 8192}</style>"

    assert "css-size" not in _rules(block * 2 + f'<p style="{" " * 9000}">')
    assert "css-size" in _rules(block * 2 + "<style> </style>")


def test_a_finding_says_where_why_and_how() -> None:
    """It begins with its place, as editors understand it, and goes on indented."""
    source = "<mjml>\n  <mj-body>\n    <mj-sectoin />\n  </mj-body>\n</mjml>\n"
    (finding,) = lint_template("email/a/issue.mjml.j2", {"email/a/issue.mjml.j2": source}.__getitem__)
    first, *others = str(finding).split("\n")

    assert first == "email/a/issue.mjml.j2:3: mjml-tag: MJML has no tag mj-sectoin; did you mean mj-section?"
    assert others == [f"    {RULES['mjml-tag'].why}", f"    {RULES['mjml-tag'].mend}"]
    assert has_errors([finding])
    assert finding.severity is Severity.ERROR


def test_a_template_that_is_not_there() -> None:
    """It is the caller's to say so: nothing was looked at."""
    with pytest.raises(LookupError):
        lint_template("gone", dict[str, str]().__getitem__)


def test_clients_are_named() -> None:
    """What is not supported is told with the clients that lack it."""
    (finding,) = [
        finding
        for finding in lint_page('<p style="display:grid">a</p>', path="page")
        if finding.rule == "client-support"
    ]

    assert "display:grid" in finding.what
    assert "Outlook (Windows)" in finding.what
    assert "Apple Mail" not in finding.what


def test_what_is_accepted_is_in_the_data() -> None:
    """A feature that every client supports by now, or that is spelt otherwise, is taken off the list."""
    assert set(ACCEPTED) <= {feature.slug for feature in features()}
    assert all(len(reason) > 10 for reason in ACCEPTED.values())


def test_the_tables_are_what_they_say() -> None:
    """A few facts of each, as their documents have them."""
    by_slug = {feature.slug: feature for feature in features()}

    assert set(mjml().tags["mj-text"].parents) == {"mj-column", "mj-hero"}
    assert by_slug["css-border-radius"].missing_in == ["Outlook (Windows)"]
    assert "Gmail (web)" in by_slug["image-base64"].missing_in


@pytest.mark.parametrize(
    ("one", "other", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48), ("#767676", "#fff", 4.54)]
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    """Black on white is 21, and #767676 is the lightest grey on white that is enough."""
    first, second = read_colour(one), read_colour(other)
    assert first is not None
    assert second is not None
    assert round(contrast(first, second), 2) == ratio


def test_links_of_a_page() -> None:
    """Each http(s) address once, with the line it is first linked in."""
    page = """<a href="https://a.example/">a</a>
<a href="#b">b</a> <a href="mailto:c@d.example">c</a>
<a href="HTTP://e.example">e</a> <a href="https://a.example/">a</a>"""

    assert links(page) == {"https://a.example/": 1, "HTTP://e.example": 3}
