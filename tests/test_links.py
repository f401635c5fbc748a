from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import LinkError
from newsletter.links import Claim, Links, Purpose

LINKS = Links(base_url="https://news.example.org", keys=("new", "old"), bounce_domain="bounces.example.org")


def token(links: Links, purpose: Purpose, subscriber: int = 7) -> str:
    """The token in a link."""
    return links.url(purpose, subscriber=subscriber, newsletter="daily-papers").rpartition("/")[2]


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 2**62), st.sampled_from(Purpose))
def test_a_link_comes_back(subscriber: int, purpose: Purpose) -> None:
    """A token says who may do what, and only that."""
    made = token(LINKS, purpose, subscriber)

    assert LINKS.read(purpose, made) == Claim(subscriber=subscriber, newsletter="daily-papers", made=datetime.now(UTC))
    for other in set(Purpose) - {purpose}:
        with pytest.raises(LinkError):
            LINKS.read(other, made)


def test_a_token_is_what_the_library_makes() -> None:
    """Ours is only faster: payload, time, MAC and derivation of its key are those of itsdangerous."""
    made = token(LINKS, Purpose.UNSUBSCRIBE, 1_204)
    payload, _, _ = made.partition(".")
    library = LINKS._serializer(Purpose.UNSUBSCRIBE)

    assert library.loads(made, return_timestamp=True)[0] == [1_204, "daily-papers"]
    assert str(library.dumps([1_204, "daily-papers"])).partition(".")[0] == payload


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=600))
def test_nonsense_is_refused(text: str) -> None:
    """Whatever stands in a link, it is read or refused, never more."""
    with pytest.raises(LinkError):
        LINKS.read(Purpose.UNSUBSCRIBE, text)
    with pytest.raises(LinkError):
        LINKS.read_envelope_sender(text)


def test_old_keys_verify_and_do_not_sign() -> None:
    """After a change of key the links in old mails go on working; a key that was dropped is worth nothing."""
    before = Links(base_url=LINKS.base_url, keys=("old",))
    after = Links(base_url=LINKS.base_url, keys=("newest",))

    assert LINKS.read(Purpose.UNSUBSCRIBE, token(before, Purpose.UNSUBSCRIBE)).subscriber == 7
    with pytest.raises(LinkError):
        before.read(Purpose.UNSUBSCRIBE, token(LINKS, Purpose.UNSUBSCRIBE))
    with pytest.raises(LinkError):
        after.read(Purpose.UNSUBSCRIBE, token(LINKS, Purpose.UNSUBSCRIBE))


def test_joining_expires_and_leaving_does_not() -> None:
    """A token can be refused for its age; without a limit it never is."""
    made = token(LINKS, Purpose.CONFIRM)

    with pytest.raises(LinkError, match="age"):
        LINKS.read(Purpose.CONFIRM, made, max_age=timedelta(seconds=-1))
    assert LINKS.read(Purpose.CONFIRM, made).subscriber == 7


@settings(deadline=None, max_examples=100)
@given(st.integers(1, 2**62))
def test_bounce_addresses_survive_their_way(delivery: int) -> None:
    """An envelope sender names its delivery in any case, fits a local part, and shows nobody's address."""
    sender = LINKS.envelope_sender(delivery)

    assert LINKS.read_envelope_sender(sender) == delivery
    assert LINKS.read_envelope_sender(sender.upper()) == delivery
    assert len(sender.partition("@")[0]) <= 64


def test_without_a_bounce_domain_there_is_none() -> None:
    """Nothing is promised that nobody receives."""
    bare = Links(base_url=LINKS.base_url, keys=("key",))

    assert bare.envelope_sender(1) == ""
    assert bare.unsubscribe_mailto(subscriber=1, newsletter="x") == ""
    assert LINKS.unsubscribe_mailto(subscriber=1, newsletter="x").startswith(
        "mailto:unsubscribe@bounces.example.org?subject="
    )


def test_keys_are_not_shown() -> None:
    """A representation that ends up in a log tells no key."""
    assert "new" not in repr(LINKS).replace("news.example.org", "")


NOW = datetime(2026, 11, 20, 12, 0, 0, 250_000, tzinfo=UTC)


def test_a_link_tells_when_it_was_made() -> None:
    """To the second: what was asked before somebody left is told from what they asked after."""
    url = LINKS.url(Purpose.CONFIRM, subscriber=7, newsletter="daily-papers", now=NOW)

    assert LINKS.read(Purpose.CONFIRM, url.rpartition("/")[2]).made == NOW.replace(microsecond=0)


@settings(deadline=None, max_examples=80)
@given(st.text(max_size=80) | st.from_regex(r"[0-9]{10,15}\.[A-Za-z0-9_-]{40,44}"))
def test_a_stamp_is_ours_or_refused(text: str) -> None:
    """It tells when a page was made, for one newsletter, also after a change of key."""
    before = Links(base_url=LINKS.base_url, keys=("old",))

    assert LINKS.read_stamp("daily", before.stamp("daily", now=NOW)) == NOW
    for newsletter, stamp in (("weekly", LINKS.stamp("daily", now=NOW)), ("daily", text)):
        with pytest.raises(LinkError):
            LINKS.read_stamp(newsletter, stamp)


def test_a_fingerprint_is_known_by_old_keys_too() -> None:
    """Whoever was blocked under the old key stays blocked under the new; without a key it says nothing."""
    before = Links(base_url=LINKS.base_url, keys=("old",))

    assert before.fingerprints("a@example.org")[0] in LINKS.fingerprints("a@example.org")
    assert not set(LINKS.fingerprints("a@example.org")) & set(LINKS.fingerprints("b@example.org"))
