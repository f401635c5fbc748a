from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.addresses import address


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("reader@example.org", "reader@example.org"),
        ("Reader@EXAMPLE.org", "Reader@example.org"),
        ("o'reader+list@example.org", "o'reader+list@example.org"),
        ("leser@bücher.example.org", "leser@bücher.example.org"),
    ],
)
def test_addresses(text: str, read: str) -> None:
    """An address comes back with its domain in its usual spelling and its local part as it was."""
    assert address(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "a@x.org\r\nBcc: v@y.z",
        "a@x.org\nb@x.org",
        "a@x.org\x00",
        "a@x.org\u2028",
        "a@x.org,b@x.org",
        "Ann <a@x.org>",
        '"a b"@x.org',
        "a@[127.0.0.1]",
        "a@localhost",
        "a" * 65 + "@example.org",
        "a@" + "x" * 300 + ".org",
        "@example.org",
        "a@",
        "",
    ],
)
def test_what_is_no_address(text: str) -> None:
    """Anything beside one plain mailbox is refused, in words that can be shown."""
    with pytest.raises(ValueError, match="is not an e-mail address") as caught:
        address(text)
    assert "\n" not in str(caught.value)
    assert "\r" not in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=80))
def test_nothing_slips_through(text: str) -> None:
    """Whatever is accepted is one line without spaces, quotes or angle brackets."""
    try:
        accepted = address(text)
    except ValueError:
        return
    assert accepted.isprintable()
    assert not set(accepted) & set(' "<>,;()[]\\')
    assert address(accepted) == accepted
