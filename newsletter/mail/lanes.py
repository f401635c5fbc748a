"""Several mail servers as one: messages are shared by weight, and what one cannot carry the others do.

    take -> the lane whose turn it is -> its connections -> sent
      ^                                      |
      +--- surely not sent, and another lane is well

A lane is a server, and who we are to it. What it may carry (`budget`) and whether it is well is shared with all other
workers. One that cannot be reached, refuses us or puts off message after message rests, longer each time, and is then
tried again; while it rests its share goes to the others. When none is left the error is that of all of them.
All of this happens in the caller's thread, on one event loop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from newsletter.errors import ConfigError, Problem, Refused, SendError
from newsletter.mail import Record
from newsletter.mail.budget import FIRST_REST, Lanes, OwnLanes, failed, recovered
from newsletter.mail.pace import Pace
from newsletter.mail.session import Timeouts
from newsletter.mail.shares import Shares
from newsletter.mail.smtp import DEFAULT_TIMEOUTS, LoopFactory, SmtpSend, fastest_loop, open_smtp, run_all
from newsletter.model import Lane, Message, Outcome, Verdict
from newsletter.networks import Guard

PUT_OFFS_IN_A_ROW = 10  # so many messages refused for now and none taken, and another server gets them
LONG = 30.0  # seconds: a message that would wait longer goes elsewhere if it can
SHORT = 0.2  # the same for the last ones

_LOOK = 0.05  # seconds after which a lane without work looks for some

log = logging.getLogger("newsletter.mail")


def open_lanes(
    text: str,
    *,
    timeouts: Timeouts = DEFAULT_TIMEOUTS,
    loop_factory: LoopFactory | None = None,
    rest: float = FIRST_REST,
) -> LanesSend:
    """A sender for one or several `smtp://`, `smtps://` and `lmtp://` URLs with white space between them.

    `rest` is how long a server is left alone after its first failure, in seconds. ConfigError with every mistake in
    every URL.
    """
    senders, problems = [], []
    urls = text.split()
    for number, url in enumerate(urls, 1):
        try:
            senders.append(open_smtp(url, timeouts=timeouts, loop_factory=loop_factory))
        except ConfigError as error:
            problems += [_numbered(problem, number if len(urls) > 1 else 0) for problem in error.problems]
    names = Counter(sender.relay.name for sender in senders)
    problems += [
        Problem(key="NEWSLETTER_SMTP_URL", what=f"names {sender.relay.place} twice", hint="give one a larger weight")
        for sender in {sender.relay.name: sender for sender in senders if names[sender.relay.name] > 1}.values()
    ]
    if problems:
        raise ConfigError(problems)
    return LanesSend(senders, loop_factory=loop_factory or fastest_loop(), rest=rest)


def _numbered(problem: Problem, number: int) -> Problem:
    return Problem(
        key=problem.key, what=f"address {number} {problem.what}" if number else problem.what, hint=problem.hint
    )


class LanesSend:
    """Implements `newsletter.mail.Send` and `Sharing`. May be called again and again, from several threads at once."""

    def __init__(
        self,
        senders: Sequence[SmtpSend],
        *,
        loop_factory: LoopFactory,
        rest: float = FIRST_REST,
        lanes: Lanes | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._senders = senders
        self._loop_factory = loop_factory
        self._rest = rest
        self._lanes = lanes or OwnLanes()
        self._clock = clock

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {', '.join(sender.relay.place for sender in self._senders)}>"

    def sharing(self, lanes: Lanes, *, guard: Guard, clock: Callable[[], float] = time.time) -> LanesSend:  # noqa: ARG002
        """The same sender, with what all workers know of its lanes. It is the operator who named its servers."""
        return LanesSend(self._senders, loop_factory=self._loop_factory, rest=self._rest, lanes=lanes, clock=clock)

    def __call__(self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        """Send until `messages` ends or `stop()`; see `newsletter.mail.Send`.

        Raises Refused when every server refuses us, SendError when none can be used.
        """
        call = _Call(
            self._senders,
            messages=iter(messages),
            record=record,
            stop=stop,
            lanes=self._lanes,
            clock=self._clock,
            rest=self._rest,
        )
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(call.run())


@dataclass(eq=False, slots=True, kw_only=True)
class _Way:
    """One lane during one call."""

    number: int
    sender: SmtpSend
    pace: Pace
    carried: dict[int, Message] = field(default_factory=dict)  # taken and without an outcome, by delivery
    away_until: float = 0.0  # by the loop's clock
    trouble: SendError | None = None  # why it is away; None: only for its limits
    failing: bool = False  # as all workers know it
    put_offs: int = 0  # in a row
    leaving: bool = False  # takes no further message, and is then away for its limits
    tired: SendError | None = None  # takes no further message, and is then away for this


class _Paced:
    """The pace of one lane among several: its own limits, and its turn. Implements `smtp.Pacing`."""

    def __init__(self, way: _Way, call: _Call) -> None:
        self._way = way
        self._pace = way.pace
        self._call = call

    def seconds(self, now: float) -> float:
        """How long to wait before the next message."""
        if wait := self._pace.seconds(now):
            self._call.shares.absent(self._way.number)
            if self._pace.is_spent or (wait > self._call.patience and self._call.is_other_well(self._way)):
                self._way.leaving = True
            return wait
        return 0.0 if self._call.is_last else self._call.shares.wait(self._way.number, now)

    def took(self, now: float) -> None:
        """A message was taken."""
        self._pace.took(now)

    def slow(self, now: float, *, asked: float | None = None) -> None:
        """The server wants less of us."""
        self._pace.slow(now, asked=asked)

    def well(self, now: float) -> None:
        """The server took a message."""
        self._pace.well(now)


class _Call:
    """One call: the messages not given to any lane, and how each lane is."""

    def __init__(
        self,
        senders: Sequence[SmtpSend],
        *,
        messages: Iterator[Message],
        record: Record,
        stop: Callable[[], bool],
        lanes: Lanes,
        clock: Callable[[], float],
        rest: float,
    ) -> None:
        self.shares = Shares([sender.relay.weight for sender in senders])
        self._messages = messages
        self._record = record
        self._stop = stop
        self._lanes = lanes
        self._clock = clock
        self._rest = rest
        self._handed_back: deque[Message] = deque()
        self._tried: dict[int, set[int]] = {}  # by delivery, the lanes that could not send it
        self._begun: set[int] = set()  # of those handed back, whose body has begun to leave once
        self._ended = False
        self._halted: SendError | None = None
        self._ways = [
            _Way(
                number=number,
                sender=sender,
                pace=Pace(sender.relay.limits, lanes=lanes, name=sender.relay.name, clock=clock),
            )
            for number, sender in enumerate(senders)
        ]

    async def run(self) -> None:
        """Every lane until there is nothing more to send, or no lane."""
        self._recall()
        try:
            await run_all(self._keep_going(way) for way in self._ways)
        finally:
            for way in self._ways:
                way.pace.leave(self._now())
            self._give_back()
        if self._halted is not None:
            raise self._halted

    def _recall(self) -> None:
        """Leave those alone that rest; where all do, somebody must be tried."""
        if len(self._ways) == 1:
            return
        for way in self._ways:
            lane = self._change(way, lambda lane: lane)
            way.failing = bool(lane.failures)
            if (seconds := lane.rests_until - self._clock()) > 0:
                self._leave(way, seconds, SendError(lane.trouble))
        if all(way.trouble for way in self._ways):
            for way in self._ways:
                way.trouble, way.away_until = None, 0.0

    async def _keep_going(self, way: _Way) -> None:
        while self._halted is None and not self._stop() and (self._is_more() or self._is_under_way()):
            if (seconds := way.away_until - self._now()) > 0:
                if not self._all_are_away():
                    await asyncio.sleep(min(seconds, _LOOK))
                continue
            way.trouble = None
            if self._is_more_for(way) and self._may_begin(way):
                await self._carry(way)
            else:
                await asyncio.sleep(_LOOK)

    def _may_begin(self, way: _Way) -> bool:
        """Whether to connect at all: not where today's messages are through."""
        wait = _Paced(way, self).seconds(self._now())
        if way.leaving:
            way.leaving = False
            self._leave(way, wait, None)
        return not way.away_until > self._now()

    async def _carry(self, way: _Way) -> None:
        try:
            await way.sender.carry(
                self._taken_by(way),
                record=partial(self._record_of, way),
                stop=lambda: way.leaving or way.tired is not None or self._stop(),
                pace=_Paced(way, self),
            )
        except SendError as error:
            way.tired = error
        if way.tired is not None:
            self._failed(way, way.tired)
        elif way.leaving:
            self._leave(way, way.pace.seconds(self._now()), None)
        way.tired, way.leaving = None, False

    def _all_are_away(self) -> bool:
        """Whether no lane can carry anything now; then an end is made of it."""
        now = self._now()
        if any(way.away_until <= now or way.carried for way in self._ways):
            return False
        if all(way.trouble for way in self._ways):
            self._halted = self._halted or _together([way.trouble for way in self._ways if way.trouble])
            return True
        soonest = min(self._ways, key=lambda way: way.away_until)
        seconds, said = soonest.away_until - now, f"{soonest.sender.relay.place} takes no more for now"
        if soonest.pace.is_spent:
            said = f"what {soonest.sender.relay.place} may get today is through (warm_up)"
        while (message := self._take()) is not None:
            outcome = Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=said, put_off=seconds)
            self._record([outcome], ())
        return True

    # --- messages -------------------------------------------------------------------------------------------------

    def _taken_by(self, way: _Way) -> Iterator[Message]:
        while not way.leaving and way.tired is None and (message := self._take(way)) is not None:
            way.carried[message.delivery] = message
            self.shares.took(way.number, self._now())
            yield message

    def _take(self, way: _Way | None = None) -> Message | None:
        """The next message; for a lane none that it tried in vain, where another lane may have it."""
        for number, handed_back in enumerate(self._handed_back):
            if way is None or self._may_have(way, handed_back):
                del self._handed_back[number]
                return handed_back
        if self._ended or self._stop():
            return None
        message = next(self._messages, None)
        self._ended = message is None
        return message

    def _may_have(self, way: _Way, message: Message) -> bool:
        return way.number not in self._tried.get(message.delivery, ()) or not self.is_other_well(way)

    def _is_more(self) -> bool:
        if not self._handed_back and (message := self._take()) is not None:
            self._handed_back.append(message)
        return bool(self._handed_back)

    def _is_more_for(self, way: _Way) -> bool:
        if (message := self._take(way)) is not None:
            self._handed_back.appendleft(message)
        return message is not None

    def _is_under_way(self) -> bool:
        return any(way.carried for way in self._ways)

    def _record_of(self, way: _Way, outcomes: Sequence[Outcome], starting: Sequence[int]) -> Collection[int]:
        """Write down what became of messages, but for those that another lane shall try."""
        elsewhere = [outcome for outcome in outcomes if self._goes_elsewhere(way, outcome)]
        others = {outcome.delivery for outcome in elsewhere}
        kept = [outcome for outcome in outcomes if outcome.delivery not in others] if others else outcomes
        starting = [delivery for delivery in starting if delivery not in self._begun] if self._begun else starting
        refused: Collection[int] = self._record(kept, starting) if kept or starting else ()
        for delivery in refused:  # it never leaves, and nobody will tell what became of it
            way.carried.pop(delivery, None)
        for outcome in outcomes:
            message = way.carried.pop(outcome.delivery)
            if outcome.delivery in others:
                if not outcome.given_up:
                    self._tried.setdefault(outcome.delivery, set()).add(way.number)
                self._handed_back.append(message)
                self.shares.gave_back(way.number)
            self._heard(way, outcome)
        self._begun |= {outcome.delivery for outcome in elsewhere if outcome.phase == "body"}
        return refused

    def _goes_elsewhere(self, way: _Way, outcome: Outcome) -> bool:
        if outcome.verdict is not Verdict.UNSENT or self._stop():
            return False
        if outcome.given_up:  # by `stop`, because this lane leaves
            return way.leaving or way.tired is not None
        tried = self._tried.get(outcome.delivery, set())
        return way.number not in tried and self.is_other_well(way)

    def _give_back(self) -> None:
        """Whatever happened: every message has an outcome; those that lanes carry have theirs from them."""
        why, is_ours = str(self._halted or "given up"), self._halted is None
        outcomes = [
            Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=why, given_up=is_ours)
            for message in self._handed_back
        ]
        self._handed_back.clear()
        if outcomes:
            self._record(outcomes, ())

    # --- how lanes are --------------------------------------------------------------------------------------------

    @property
    def patience(self) -> float:
        """How long, in seconds, a message may wait for a lane where another is well."""
        return SHORT if self.is_last else LONG

    @property
    def is_last(self) -> bool:
        """Whether every message is with a lane already, so that no turn is left to wait for."""
        return self._ended and not self._handed_back

    def is_other_well(self, way: _Way) -> bool:
        """Whether a message may go another way at once."""
        now = self._now()
        return any(
            other is not way and other.away_until <= now and other.tired is None and not other.leaving
            for other in self._ways
        )

    def _heard(self, way: _Way, outcome: Outcome) -> None:
        """Learn from an outcome how the server is."""
        if outcome.verdict is Verdict.SENT and way.failing:
            self._change(way, recovered)
            way.failing = False
            log.warning("%s takes messages again", way.sender.relay.place)
        is_put_off = outcome.verdict in {Verdict.DEFERRED, Verdict.UNSENT} and 400 <= outcome.code <= 499  # noqa: PLR2004
        way.put_offs = way.put_offs + 1 if is_put_off else 0
        if way.put_offs >= PUT_OFFS_IN_A_ROW and way.tired is None and self.is_other_well(way):
            said = f"{outcome.code} {outcome.text}".strip()
            way.tired = SendError(
                f"{way.sender.relay.place} put off {way.put_offs} messages in a row, the last: {said}"
            )

    def _failed(self, way: _Way, error: SendError) -> None:
        way.put_offs = 0
        if len(self._ways) == 1:
            self._halted = error
            return
        now = self._clock()
        lane = self._change(way, lambda lane: failed(lane, now=now, why=str(error), first=self._rest))
        way.failing = True
        self._leave(way, lane.rests_until - now, error)
        log.warning("%s; for now it gets nothing", error)

    def _leave(self, way: _Way, seconds: float, trouble: SendError | None) -> None:
        way.away_until = self._now() + seconds
        way.trouble = trouble
        self.shares.absent(way.number)

    def _change(self, way: _Way, change: Callable[[Lane], Lane]) -> Lane:
        def decide(lane: Lane) -> tuple[Lane, Lane]:
            lane = change(lane)
            return lane, lane

        return self._lanes.change(way.sender.relay.name, decide)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()


def _together(errors: Sequence[SendError]) -> SendError:
    """One error for those of all lanes."""
    kind = Refused if all(isinstance(error, Refused) for error in errors) else SendError
    return kind("; ".join(dict.fromkeys(str(error) for error in errors)))
