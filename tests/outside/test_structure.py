"""The comparison of two compilers' pages: what it overlooks, and what it does not."""

from __future__ import annotations

import pytest

from tests.outside.structure import structure

PAGE = '<div class="a" style="color:#000000;padding:0px"> some  text<!--[if mso]><td><![endif]--></div>'


@pytest.mark.parametrize(
    "same",
    [
        '<div style="padding: 0px; color: #000000;" class="a">\n some text <!--[if mso]><td><![endif]--> </div>',
        PAGE.replace("<td>", "<![endif]--><!--[if mso]><td>"),
        PAGE.replace("some", "&#115;ome"),
    ],
)
def test_what_no_client_sees_is_overlooked(same: str) -> None:
    """The order of attributes and declarations, white space, conditional comments cut in two, escapes."""
    assert structure(same) == structure(PAGE)


@pytest.mark.parametrize(
    ("before", "after"),
    [("0px", "1px"), ('class="a"', ""), ("mso", "!mso"), ("<td>", "<th>"), ("some", "none"), ("</div>", "")],
)
def test_everything_else_counts(before: str, after: str) -> None:
    """A value, an attribute, a condition, an element within it, a word, an end."""
    assert structure(PAGE.replace(before, after)) != structure(PAGE)
