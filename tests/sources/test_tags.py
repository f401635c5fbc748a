from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.sources.tags import attributes, start_tags, uncommented


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<a HREF="/x" b=\'y"z\' c=plain d>', [("a", {"href": "/x", "b": 'y"z', "c": "plain"})]),
        ('<A href = "/x"\n/><b href="/y"><area href="/z">', [("a", {"href": "/x"})]),
        ('<a t="1 > 0" href="/x">', [("a", {"t": "1 > 0", "href": "/x"})]),
        ('<a href="/x" href="/y">', [("a", {"href": "/x"})]),
        ('<a t=it\'s href="/x"><link h="y">', [("a", {"t": "it", "href": "/x"}), ("link", {"h": "y"})]),
        ('<a t="a "quoted" word\'s" href="/x">', [("a", {"t": "a ", "href": "/x"})]),
        ('<!-- <a href="/x"> --><a href="/y&amp;z">', [("a", {"href": "/y&amp;z"})]),
        ('<a href="/x" <a href="/y">', [("a", {"href": "/y"})]),
        ("</a><a", []),
    ],
)
def test_start_tags_are_found(markup: str, expected: object) -> None:
    """Tags of the names asked for come with their attributes, however they are spelled or broken."""
    assert list(start_tags(markup, ["a", "link"])) == expected


def test_a_comment_that_never_ends_hides_the_rest() -> None:
    """What stands behind an open comment is not there; comments do not nest."""
    assert uncommented("a<!-- b --> c<!-- <!-- d --> e<!-- f") == "a c e"


@settings(deadline=None, max_examples=100)
@given(
    st.dictionaries(st.from_regex(r"[a-z][a-z:-]{0,8}", fullmatch=True), st.text().filter(lambda text: '"' not in text))
)
def test_well_formed_attributes_are_read_as_written(written: dict[str, str]) -> None:
    """Values between double quotes come out as they stand there."""
    assert attributes("".join(f' {name}="{value}"' for name, value in written.items())) == written
