from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.codec import decode, encode, plain
from newsletter.model import (
    Entry,
    Fragment,
    Issue,
    Newsletter,
    Piece,
    Rendered,
    Run,
    Slotted,
    Story,
)

MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # the bounds must be naive
st.register_type_strategy(datetime, MOMENTS)
st.register_type_strategy(date, st.dates(date(1990, 1, 1), date(2100, 1, 1)))
st.register_type_strategy(timedelta, st.timedeltas(timedelta(0), timedelta(days=365)))


@settings(deadline=None, max_examples=60)
@given(st.one_of(*(st.from_type(kind) for kind in (Entry, Story, Issue, Rendered, Newsletter, Run))))
def test_the_vocabulary_comes_back(value: object) -> None:
    """Whatever is kept as JSON comes back equal, every type of it."""
    assert decode(type(value), encode(value)) == value


@settings(deadline=None, max_examples=60)
@given(st.lists(st.from_type(Piece)))  # type: ignore[arg-type]  # a union is a type enough for hypothesis
def test_slots_stay_slots(pieces: list[Piece]) -> None:
    """A literal that looks like a slot stays a literal."""
    fragment = Fragment(kind="head", key="", html=("{'token': 'name'}", *pieces), text=tuple(pieces))

    assert decode(Fragment, encode(fragment)) == fragment
    assert sum(isinstance(piece, Slotted) for piece in decode(Fragment, encode(fragment)).html) == sum(
        isinstance(piece, Slotted) for piece in pieces
    )


def test_defaults_are_left_out() -> None:
    """JSON names what is said, not what is left at its default, and keeps other scripts readable."""
    assert plain(Story(key="k", title="Überblick", url="u")) == {"key": "k", "title": "Überblick", "url": "u"}
    assert "Überblick" in encode(Story(key="k", title="Überblick", url="u"))
