"""Whatever a template or page holds, it is looked at and nothing breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.render.lint import lint_mail, lint_page, lint_template
from newsletter.render.lint.colours import contrast, ground_of, read_colour
from newsletter.render.lint.css import read_css
from newsletter.render.lint.document import read_document
from newsletter.render.lint.selectors import read_selectors

# What parsers trip over, put together in any order.
_MJML = (
    "<mjml>", "<mj-body>", "<mj-section", "<mj-text>", "</mj-text>", "<mj-raw>", "<mj-include", "path='a'/>",
    "{{", "}}", "{%", "%}", "{#", "#}", '"', "'", ">", "/>", "=",
)  # fmt: skip
_HTML = (
    "<div>", "</div>", "<p", "<table>", "<td", "</table>", "<!--[if", "mso]>", "-->", "<![", "<![endif]>",
    "<!doctype", "<style>", "</style>", "<a", "href=", "&#", '"', "'", ">", "style=",
)  # fmt: skip
_CSS = (
    "{", "}", ";", ":", ",", "@media", "@import", "(prefers-color-scheme:dark)", "/*", "*/", '"', "'", "url(",
    ")", ".a", "#b", ">", "+", "~", "[c=d]", ":root", "!important", "color", "#fff", "\\",
)  # fmt: skip


def pieces(*known: str) -> st.SearchStrategy[str]:
    """Texts of known pieces and any others."""
    return st.lists(st.one_of(st.sampled_from(known), st.text(max_size=5)), max_size=40).map("".join)


@given(pieces(*_MJML))
def test_any_template(text: str) -> None:
    """A template of any text has findings, each in a line that it has."""
    found = lint_template("issue.mjml.j2", {"issue.mjml.j2": text, "a": text}.__getitem__)

    assert all(1 <= finding.line <= text.count("\n") + 1 for finding in found)


@settings(deadline=None)
@given(pieces(*_HTML, *_CSS), pieces("https://", " ", "\n"))
def test_any_page(html: str, text: str) -> None:
    """So has a page with any text beside it."""
    found = lint_mail(html, text, preheader="", path="page")

    assert all(0 <= finding.line <= max(html.count("\n"), text.count("\n")) + 1 for finding in found)


@settings(deadline=None)
@given(pieces(*_CSS))
def test_any_style(css: str) -> None:
    """A style sheet of any text is read, and so is every selector in it."""
    root = read_document("<html><body class=a><p id=b c=d>text</p></body></html>")
    for _, rule in read_css(css).rules():
        for selector in read_selectors(rule.prelude):
            for element in root.walk():
                selector.matches(element)
    lint_page(f"<style>{css}</style><p>text", path="page")


@given(st.one_of(st.text(), st.from_regex(r"#[0-9a-f]{3,8}|rgba?\([0-9., %e-]*\)", fullmatch=True)))
def test_any_colour(text: str) -> None:
    """A text is a colour or none, and a colour stands out from another between 1 and 21."""
    for colour in (read_colour(text), ground_of(text)):
        if colour is not None:
            assert 1 <= contrast(colour, colour.over(colour)) <= 21


def test_deep_nesting_is_no_trouble() -> None:
    """Ten thousand elements within each other, or a thousand style blocks, are looked at like others."""
    deep = "<div>" * 10_000 + "text"

    assert lint_page(f"<style>{'@media all {' * 1_000}</style>{deep}", path="page")
    assert lint_template("a", {"a": "<mj-section>" * 3_000}.__getitem__)
