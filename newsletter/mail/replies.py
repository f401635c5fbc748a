"""What a reply of a mail server means: for the message, for the address, for the connection, for us.

Everything here is pure; the table is in `reply_rules`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.mail.reply_rules import RULES, Phase, Rule
from newsletter.model import Verdict

__all__ = ["LONGEST_WAIT", "Decision", "Phase", "goes_on", "read_reply"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do about a reply.

    `reconnect`: this connection is of no further use. `lane`: it is about how much or what we send to this server;
    slow down. `refuse`: our credentials or our sender are not accepted, so no message can go out. `policy`: it is about
    what we are or send, so that others would hear the same. `retry_after` is in seconds. `reason` names the rule.
    """

    verdict: Verdict
    reason: str
    reconnect: bool = False
    lane: bool = False
    refuse: bool = False
    policy: bool = False
    retry_after: float | None = None

    @property
    def again(self) -> bool:
        """Whether the same message may be offered at once on another connection."""
        return self.verdict is Verdict.UNSENT and self.reconnect and not (self.lane or self.refuse)


_DATA, _DOT = Phase.DATA, Phase.DOT
_TAKEN = Decision(verdict=Verdict.SENT, reason="taken")
_WAIT = re.compile(
    r"\b(?:in|after|for|wait|least)\s+(\d{1,6})\s*(s|m|h)(?:ec|ecs|econds?|ins?|inutes?|rs?|ours?)?\b", re.IGNORECASE
)
_SECONDS = {"s": 1, "m": 60, "h": 3600}
LONGEST_WAIT = 86_400.0


def goes_on(code: int, *, phase: Phase) -> bool:
    """Whether the step is done and the next may follow. Any 2xx will do (252 to RCPT too), but DATA needs its 354."""
    return code == 354 if phase is _DATA else 200 <= code <= 299  # noqa: PLR2004 (RFC 5321 section 4.2)


def read_reply(code: int, text: str, *, phase: Phase) -> Decision:
    """Judge the reply that ended a transaction: one that did not let it go on, or the one to the final dot.

    `text` is without the code. Code 0 stands for the absence of an intelligible reply: connection cut, time over,
    garbage. After the final dot that leaves it open whether the message was taken; before, it surely was not. A refused
    RSET says nothing about the message that was to follow.
    """
    if phase is _DOT and goes_on(code, phase=phase):
        return _TAKEN
    if not 400 <= code <= 599 or phase is Phase.RSET:  # noqa: PLR2004 (RFC 5321 section 4.2)
        verdict = Verdict.UNCERTAIN if phase is Phase.DOT else Verdict.UNSENT
        return Decision(verdict=verdict, reason="no intelligible reply", reconnect=True)
    return next(_decision(rule, text) for rule in RULES if rule.matches(code, text, phase))


def _decision(rule: Rule, text: str) -> Decision:
    later = rule.verdict in {Verdict.DEFERRED, Verdict.UNSENT}
    return Decision(
        verdict=rule.verdict,
        reason=rule.reason,
        reconnect=rule.reconnect,
        lane=rule.lane,
        refuse=rule.refuse,
        policy=rule.policy,
        retry_after=(_wait(text) or rule.retry_after) if later else None,
    )


def _wait(text: str) -> float | None:
    match = _WAIT.search(text)
    return min(float(match[1]) * _SECONDS[match[2].lower()], LONGEST_WAIT) if match else None
