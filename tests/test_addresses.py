from __future__ import annotations

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.addresses import address, is_plain


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


@settings(deadline=None, max_examples=80)
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


_LOCALS = st.text("abzAZ09_+.-'!\u00e9 ", min_size=0, max_size=70)
_LABELS = st.text("abxn09-_E\u00fc", min_size=0, max_size=6) | st.just("a" * 64) | st.just("xn--bcher-kva")
_TOPS = st.sampled_from(["org", "test", "local", "example", "arpa", "x1", "1", "xn--p1ai", "ORG", "onion"])


@given(_LOCALS, st.lists(_LABELS, max_size=4), _TOPS, st.sampled_from(["", "\n", " ", ".", ","]))
def test_the_short_way_accepts_what_the_library_accepts(local: str, labels: list[str], top: str, end: str) -> None:
    """What is known by its looks for an address is one to the library, too, and is written in the same way."""
    text = f"{local}@{'.'.join([*labels, top])}{end}"

    if is_plain(text):
        assert validate_email(text, check_deliverability=False, strict=True).normalized == text


@pytest.mark.parametrize("length", [62, 63, 64, 65])
def test_the_longest_addresses(length: int) -> None:
    """At the limits of RFC 5321 the short way and the library agree."""
    for text in (f"{'a' * length}@example.org", f"a@{'b' * length}.org", f"a@{'b.' * (length + 60)}org"):
        try:
            validate_email(text, check_deliverability=False, strict=True)
        except EmailNotValidError:
            assert not is_plain(text)
        else:
            assert is_plain(text)
