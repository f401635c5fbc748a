"""When an issue is better stopped than sent on: what its replies so far say of it and of us. Pure.

refused   one message in twenty for good, of a hundred at least: the list, or the mail, is not fit to be sent
policy    twenty replies of one kind that others would hear too: every further one costs reputation

What is about our credentials or our sender stops at the first reply, and not here: see `errors.Refused`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from fractions import Fraction

from newsletter.model import Objection, Outcome, Verdict

SHARE = Fraction(1, 20)  # of the messages that the servers decided about
RESULTS = 100  # decided ones, to speak of a share
POLICY = 20  # replies of one kind

_WORDS = 8
_REFUSED = frozenset({Verdict.REJECTED, Verdict.SUPPRESS})


def kind(code: int, text: str) -> str:
    """What replies that mean the same to us have in common: the codes and the first words.

    Without what differs from one message to the next: addresses, numbers, names of hosts and sessions.
    """
    status, *rest = text.split(maxsplit=1) or [""]
    if status[:2] not in {"2.", "4.", "5."}:
        status, rest = "", [text]
    words = (word.strip(".,:;!?()[]<>\"'").lower() for word in " ".join(rest).split())
    told = [word for word in words if word.replace("-", "").replace("'", "").isalpha()]
    return " ".join(filter(None, (str(code or ""), status, *told[:_WORDS])))


def objections(outcomes: Iterable[Outcome]) -> list[Objection]:
    """What the replies among these object to, by kind; nothing for those that took the message or put it off."""
    found: dict[str, Objection] = {}
    for outcome in outcomes:
        if outcome.verdict not in _REFUSED and not outcome.policy:
            continue
        name = kind(outcome.code, outcome.text)
        known = found.get(name) or Objection(kind=name, example=f"{outcome.code or ''} {outcome.text}".strip())
        refused = known.refused + (outcome.verdict in _REFUSED)
        found[name] = replace(known, refused=refused, policy=known.policy + outcome.policy)
    return list(found.values())


class Breaker:
    """Judges one issue for one process; the counts are those of all processes together."""

    def __init__(self) -> None:
        self._refused = 0  # at the last look
        self._looks_at = 1  # fewer refusals than this are no twentieth, whatever was sent since: no need to count

    def trips(self, refused: int, worst: Objection, *, sent: Callable[[], int]) -> str:
        """Why the issue must not go on, empty when it may. `sent` counts, and is asked only when it matters."""
        if worst.policy >= POLICY:
            return f"{worst.policy} replies of one kind, and they are about us, not about a reader: {worst.example}"
        if refused < self._refused:  # it was resumed meanwhile: counted anew
            self._looks_at = 1
        self._refused = refused
        if refused < self._looks_at:
            return ""
        taken = sent()
        if refused + taken >= RESULTS and refused >= SHARE * (refused + taken):
            return f"{refused} of {refused + taken} messages were refused, the last so: {worst.example}"
        # The least that is a twentieth of itself and of what was sent, which only grows.
        least = -(-taken * SHARE.numerator // (SHARE.denominator - SHARE.numerator))
        self._looks_at = least if refused + taken >= RESULTS else refused + 1
        return ""
