"""When a source that failed may be asked again: hints and failures only ever slow us down. Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST_REST = timedelta(minutes=5)
LONGEST_REST = timedelta(days=7)
GONE = 410  # RFC 9110 section 15.5.11: away for good, and meant so
FOREVER = timedelta(days=3650)


def rest(failures: int, *, retry_after: float | None = None, status: int | None = None) -> timedelta:
    """How long to leave a source alone after so many failures in a row, the last of them just now.

    It doubles from five minutes to seven days, is never shorter than the server asked for (`retry_after`, in seconds),
    and does not end for one that says it is gone: then only an operator asks again.
    """
    if status == GONE:
        return FOREVER
    doubled = FIRST_REST * (1 << min(failures - 1, 20))
    return max(min(doubled, LONGEST_REST), timedelta(seconds=retry_after or 0))
