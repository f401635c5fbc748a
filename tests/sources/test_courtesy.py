from __future__ import annotations

from datetime import timedelta

from newsletter.sources.courtesy import FIRST_REST, FOREVER, LONGEST_REST, rest


def test_rests_double_up_to_a_week() -> None:
    """Each failure in a row rests twice as long as the one before, a week at most."""
    rests = [rest(failures) for failures in range(1, 40)]

    assert rests[:4] == [FIRST_REST, 2 * FIRST_REST, 4 * FIRST_REST, 8 * FIRST_REST]
    assert rests[-1] == LONGEST_REST
    assert rests == sorted(rests)


def test_a_server_can_only_slow_us_down() -> None:
    """What a server asks for lengthens a rest and never shortens it."""
    assert rest(1, retry_after=3600) == timedelta(hours=1)
    assert rest(1, retry_after=1) == FIRST_REST
    assert rest(9, retry_after=60) == rest(9)


def test_gone_is_gone() -> None:
    """A source that says it is away for good is not asked again by itself."""
    assert rest(1, status=410) == FOREVER
    assert rest(1, status=404) == FIRST_REST
