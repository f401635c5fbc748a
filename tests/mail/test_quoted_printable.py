from __future__ import annotations

import quopri
import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from newsletter.mail.quoted_printable import quoted_printable

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(list(" \t\r\n.=_Ff")), max_size=300)


@settings(deadline=None, max_examples=75)
@given(st.lists(texts, max_size=5))
@example(["x" * 75, ""])
@example(["x" * 76, "y"])
@example(["x" * 77])
@example(["é" * 80])
@example(["x" * 74 + "é"])
@example(["x" * 75 + " ", "\n"])
@example(["x" * 75 + "." * 80])
@example([".", "..\n.\n", "From me\nFrom you"])
@example(["a \t\n", "b \n"])
def test_pieces_join(pieces: list[str]) -> None:
    """Any sequence of pieces decodes to their texts, with line ends made one kind."""
    body = b"".join(map(quoted_printable, pieces))

    expected = "".join(piece.replace("\r\n", "\n").replace("\r", "\n") for piece in pieces)
    assert quopri.decodestring(body).replace(b"\r\n", b"\n") == expected.encode()


@settings(deadline=None, max_examples=75)
@given(texts)
@example("x" * 76)
@example("From me\nFrom you" + "x" * 67 + "From us")
@example("x" * 75 + "é")
@example("x" * 75 + ".x")
@example("x \n\t\n")
@example("x" * 75 + " \n")
@example("x" * 76 + "\n")
def test_lines_are_harmless(text: str) -> None:
    """Lines end in CRLF, have at most 76 columns of ASCII, and neither a dot in front nor white space at the end."""
    body = quoted_printable(text)

    assert not body or body.endswith(b"\r\n")
    assert body.isascii()
    lines = body.split(b"\r\n")
    assert all(len(line) <= 76 and not line.startswith((b".", b"From ")) for line in lines)
    assert not any(line.endswith((b" ", b"\t")) for line in lines)
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", body)


def test_rows_are_filled() -> None:
    """A line of exactly 76 columns stays whole, a longer one is broken at 75."""
    assert quoted_printable("x" * 76 + "\n") == b"x" * 76 + b"\r\n"
    assert quoted_printable("x" * 76) == b"x" * 75 + b"=\r\nx=\r\n"


def test_half_a_character_is_replaced() -> None:
    """A lone surrogate, as JSON can hold one, becomes a question mark."""
    assert quoted_printable("a\ud800b") == b"a?b=\r\n"
