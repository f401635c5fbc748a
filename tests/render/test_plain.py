from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.render.plain import WIDTH, columns, underline, wrap


def test_lines_break_at_words() -> None:
    """A long text becomes lines of at most 72 columns, indented after the first."""
    lines = wrap("word " * 40, "  ", "* ").split("\n")
    assert lines[0].startswith("* word")
    assert all(line.startswith("  word") for line in lines[1:])
    assert max(map(len, lines)) <= WIDTH


def test_addresses_are_never_broken() -> None:
    """An address that is longer than a line stays in one piece; any other such word is broken."""
    address = "https://example.org/" + "a" * 100
    assert address in wrap(f"see {address} there").split("\n")
    assert max(map(len, wrap("a" * 200).split("\n"))) == WIDTH


def test_wide_characters_take_two_columns() -> None:
    """Chinese, Japanese and Korean take two columns, combining marks and joiners none."""
    assert [columns(text) for text in ("abc", "長い", "e\u0301", "\u200d")] == [3, 4, 1, 0]
    assert max(map(columns, wrap("長" * 100, "  ").split("\n"))) <= WIDTH


def test_a_heading_is_underlined_in_its_width() -> None:
    """The rule below a heading is as wide as the heading looks."""
    assert underline("長い", "-") == "長い\n----"


@settings(deadline=None, max_examples=80)
@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=300))
def test_wrapping_loses_no_character(text: str) -> None:
    """But for spaces, what is wrapped is the text, and only addresses exceed the width."""
    lines = wrap(text, "  ").split("\n")
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(columns(line) <= WIDTH or "http" in line.lower() for line in lines)
