"""When what breaks: steps of the conversation, drawn from a seed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

STEPS = 3  # of each mail: MAIL, RCPT, BDAT; instead of the latter DATA and the final dot are two
REACHED = 0.9  # of the steps of an issue without any trouble: what is drawn from them surely happens
STOPPED = 60  # steps that others go on while one process stands still
LARGEST = 200_000  # bytes of a file when the disk is full: as long as a log of changes commonly is


class Trouble(StrEnum):
    """What happens at a step.

    kill      SIGKILL to the process whose step it is
    stop      SIGSTOP to it; its leases run out, and another process takes over
    resume    SIGCONT to those that were stopped
    cut       the server takes the next mail and breaks the connection off without a reply
    restart   the database ends every session
    full      the process's disk is full: it can write no file any further than a random place
    """

    KILL = "kill"
    STOP = "stop"
    RESUME = "resume"
    CUT = "cut"
    RESTART = "restart"
    FULL = "full"


@dataclass(frozen=True, slots=True)
class Hit:
    """One piece of trouble: before the server's reply to that step or after it, and so many seconds later.

    `place` is the byte of every file at which a `full` disk ends.
    """

    trouble: Trouble
    before: bool = True
    delay: float = 0.0
    place: int = 0


def draw(seed: int, *, recipients: int, amounts: Mapping[Trouble, int], jitter: float = 0.0) -> dict[int, Hit]:
    """For each kind of trouble so many steps, no step twice; a `stop` is followed by its `resume`.

    The steps are those that sending by BDAT has; sending by DATA has more, so that all are over before its end.
    `jitter` is the longest delay of half the hits, in seconds; with 0 none has any. ValueError when there are not
    enough steps.
    """
    rng = random.Random(seed)  # noqa: S311 - draws times, guards nothing
    kinds = [kind for kind, amount in amounts.items() for _ in range(amount)]
    rng.shuffle(kinds)
    plan: dict[int, Hit] = {}
    for step, kind in zip(rng.sample(range(1, int(recipients * STEPS * REACHED)), len(kinds)), kinds, strict=True):
        delay = rng.uniform(0, jitter) if rng.random() < 1 / 2 else 0.0
        plan[step] = Hit(kind, before=rng.random() < 1 / 2, delay=delay, place=rng.randrange(LARGEST))
    for step in [step for step, hit in plan.items() if hit.trouble is Trouble.STOP]:
        later = step + STOPPED
        while later in plan:
            later += 1
        plan[later] = Hit(Trouble.RESUME)
    return dict(sorted(plan.items()))
