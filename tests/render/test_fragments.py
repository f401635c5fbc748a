from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.model import Fragment, Rendered, Slotted, Token
from newsletter.render.fragments import TOKEN_ROOM, Marks, fill, html_bytes, new_suffix

SUFFIX = "0123456789abcdef"


def test_a_suffix_that_a_text_holds_is_not_taken() -> None:
    """A feed that guesses the random word only makes us draw another."""
    drawn = iter(["aaaa", "bbbb", "cccc"])
    assert new_suffix(("x [[AAAA:web_url]]", ["bbbb"]), lambda: next(drawn)) == "cccc"


def test_suffixes_differ() -> None:
    """Two renderings have different suffixes."""
    assert new_suffix("") != new_suffix("")


def test_a_document_is_cut_at_its_cuts() -> None:
    """What precedes the first cut is the head; each part has the kind and key its cut was made with."""
    marks = Marks(SUFFIX)
    document = f"head\n  {marks.cut('story', 'a]]b')}\nbody {marks.slot(Token.EMAIL)} end\n{marks.cut('foot')}\nfoot"
    parts = marks.parts(document, template="t")
    assert [(part.kind, part.key) for part in parts] == [("head", ""), ("story", "a]]b"), ("foot", "")]
    assert [part.pieces for part in parts] == [
        ("head\n",),
        ("body ", Slotted(token=Token.EMAIL), " end\n"),
        ("foot\n",),
    ]


@settings(deadline=None, max_examples=100)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6))
def test_joined_parts_are_the_document(texts: list[str]) -> None:
    """Cutting loses and adds nothing, whatever stands between the markers."""
    bodies = [f"{text}[[{SUFFIX[:-1]}:web_url]]\n" for text in texts]
    marks = Marks(SUFFIX)
    document = bodies[0] + "".join(f"{marks.cut('story', str(n))}\n{body}" for n, body in enumerate(bodies[1:]))
    parts = marks.parts(document, template="t")
    assert [part.pieces for part in parts] == [(body,) for body in bodies]


@pytest.mark.parametrize("spoil", [str.upper, lambda marker: marker.replace(":", "%3A"), lambda marker: marker[1:]])
def test_a_spoiled_marker_is_an_error(spoil: type[str]) -> None:
    """A marker that a template sent through a filter is never mailed as it is."""
    marks = Marks(SUFFIX)
    with pytest.raises(RenderError, match=r"t\.mjml\.j2"):
        marks.parts(spoil(str(marks.slot(Token.WEB_URL))), template="t.mjml.j2")


def test_values_are_escaped_for_html_alone() -> None:
    """A reader's values are escaped in the HTML, addresses too, and stand as they are in the text."""
    pieces = ('<a href="', Slotted(token=Token.WEB_URL), '">')
    rendered = Rendered(subject="s", fragments=(Fragment(kind="head", key="", html=pieces, text=pieces),))
    assert fill(rendered, {Token.WEB_URL: "https://x/?a=1&b='\"<"}) == (
        '<a href="https://x/?a=1&amp;b=&#x27;&quot;&lt;">',
        '<a href="https://x/?a=1&b=\'"<">',
    )


def test_a_missing_value_is_an_error() -> None:
    """No mail goes out with a hole in it."""
    piece = (Slotted(token=Token.NAME),)
    rendered = Rendered(subject="s", fragments=(Fragment(kind="head", key="", html=piece, text=()),))
    with pytest.raises(KeyError):
        fill(rendered, {})


def test_sizes_are_bytes_with_room_for_values() -> None:
    """A body's size counts UTF-8 bytes and reckons a slot at its full room."""
    assert html_bytes(("é", Slotted(token=Token.NAME))) == 2 + TOKEN_ROOM
