"""A worker that takes whatever it gets of a lane: `python -m tests.drawing URL START RATE SECONDS`.

It prints when it took each message, by a clock of its own that begins at START and runs as fast as it can.
"""

from __future__ import annotations

import sys

from newsletter.mail.pace import Pace
from newsletter.store import open_store


def main(url: str, start: float, rate: float, seconds: float) -> None:
    """Take until the time is over."""
    store = open_store(url)
    now = start
    pace = Pace(rate, lanes=store.lanes, name="lane", clock=lambda: now)
    while now < start + seconds:
        while not pace.seconds(now):
            pace.took(now)
            print(now)  # noqa: T201
        now += 0.05
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], *(float(argument) for argument in sys.argv[2:]))
