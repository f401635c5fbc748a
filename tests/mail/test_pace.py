"""How fast a mail server gets messages."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.mail.pace import FIRST_PAUSE, LONGEST_PAUSE, Pace


def taken_within(pace: Pace, seconds: float, start: float = 0.0) -> int:
    """How many messages somebody gets who takes one whenever it is time."""
    now, count = start, 0
    while (now := now + pace.seconds(now)) < start + seconds:
        pace.took(now)
        count += 1
        now += 1e-6
    return count


def test_without_a_rate_nothing_waits() -> None:
    """As fast as the server takes them."""
    pace = Pace()
    for _ in range(1000):
        assert pace.seconds(0.0) == 0.0
        pace.took(0.0)


@settings(deadline=None, max_examples=50)
@given(st.floats(0.1, 50), st.floats(1, 60))
def test_a_rate_is_kept(rate: float, seconds: float) -> None:
    """In any stretch of time no more than the rate allows, and what a second saves up; and less by one draw at most."""
    count = taken_within(Pace(rate), seconds)

    assert rate * seconds - max(1.0, rate / 10) - 1 <= count <= rate * seconds + max(1.0, rate) + 1


def test_a_server_that_complains_is_left_alone_longer_each_time() -> None:
    """Twice as long, up to five minutes; replies of one moment count once; what it asks for is kept."""
    pace = Pace()
    now, pauses = 0.0, []
    for _ in range(12):
        pace.slow(now)
        pace.slow(now)
        pauses.append(pace.seconds(now))
        now += pauses[-1]
    assert pauses[:4] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE, 8 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    patient = Pace()
    patient.slow(0.0, asked=60)
    assert patient.seconds(0.0) == 60
    patient = Pace()
    patient.slow(0.0, asked=86_400)
    assert patient.seconds(0.0) == LONGEST_PAUSE


def test_the_rate_is_halved_and_comes_back() -> None:
    """By a twentieth every ten seconds in which the server takes messages."""
    pace = Pace(10)
    pace.slow(0.0)
    assert 40 <= taken_within(pace, 10, start=FIRST_PAUSE) <= 60
    now = 20.0
    for _ in range(12):
        now += 10
        pace.well(now)
    assert 95 <= taken_within(pace, 10, start=now) <= 111
