"""Mail straight to the servers of the readers' domains: one lane for each group of servers, with a budget of its own.

    message -> its domain's servers -> the lane of their owner -> a connection -> sent

Servers whose first name belongs to one domain (all of Google's, all of Microsoft's) are one group: a provider counts
what comes to it, not to each of its customers. What a lane may carry is shared by all workers; see `budget`. Where a
server listens the DNS says, and anybody writes DNS: no address is connected to that the operator's networks keep for
themselves. One domain in trouble stops nobody: its mails wait, and everything else goes on.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from urllib.parse import parse_qsl, urlencode, urlsplit

from newsletter.domains import registrable
from newsletter.errors import ConfigError, Problem, Refused, SendError
from newsletter.mail import Record
from newsletter.mail.budget import Lanes, OwnLanes
from newsletter.mail.exchangers import Exchangers
from newsletter.mail.pace import Pace
from newsletter.mail.relay import Relay, Tls, parse_relay
from newsletter.mail.replies import Phase, read_reply
from newsletter.mail.session import Session, Timeouts, open_session
from newsletter.mail.smtp import DEFAULT_TIMEOUTS, LoopFactory, carry, fastest_loop
from newsletter.model import Message, Outcome, Verdict
from newsletter.networks import Guard

CONNECTIONS = 2  # to one group at once, unless the operator says otherwise
ROUTERS = 8  # domains looked up at once
MOST_HELD = 500  # messages taken and without an outcome
MOST_WAITING = 100  # of them for one lane
MOST_ADDRESSES = 6  # of a domain, that are tried
FIRST_REST, LONGEST_REST = 300.0, 3600.0  # seconds for servers that cannot be reached
LONG = 30.0  # seconds: whoever would wait longer is put off
LONGEST_PUT_OFF = 900.0
LOOKUPS_IN_A_ROW = 8  # that failed, and it is our name server

_LOOK = 0.02
_OWN = ("hello", "resolver", "port")
_SHARED = ("connections", "rate", "per_connection", "pipelining", "warm_up", "starttls")


@dataclass(frozen=True, slots=True, kw_only=True)
class Direct:
    """What `mx:` says: how each server is talked to, our name there, the name server to ask (host, port)."""

    relay: Relay
    hello: str = ""
    resolver: tuple[str, int] = ("", 53)


def parse_direct(url: str) -> Direct:
    """Read `mx:?hello=mail.example.org&connections=2&rate=2/s`.

    `connections`, `rate` and `warm_up` are for each group of servers; they, `per_connection` and `pipelining` are as
    for a relay. `starttls` is auto (used where offered, whoever signed the certificate), required or off.
    `resolver=host` or `host:port` asks that name server, `port` is another than 25. ConfigError with every mistake.
    """
    parts = urlsplit(url)
    given = parse_qsl(parts.query, keep_blank_values=True)
    options = dict(given)
    problems = [
        Problem(
            key="NEWSLETTER_SMTP_URL", what=f"mx: has no option {key!r}", hint=f"known: {', '.join(_OWN + _SHARED)}"
        )
        for key in options
        if key not in _OWN + _SHARED
    ]
    if parts.netloc or parts.path.strip("/") or len(url.split()) > 1:
        hint = "it asks the DNS for servers: for instance mx:?hello=mail.example.org"
        problems.append(Problem(key="NEWSLETTER_SMTP_URL", what="mx: stands alone and names no server", hint=hint))
    shared = {"starttls": Tls.AUTO.value, **{key: options[key] for key in _SHARED if key in options}}
    relay = None
    try:
        relay = parse_relay(f"smtp://mx.invalid?{urlencode({'verify': 'off', **shared})}", connections=CONNECTIONS)
    except ConfigError as error:
        problems += error.problems
    port = _port(options.get("port", "25"))
    host, _, resolver_port = options.get("resolver", "").partition(":")
    if not port or not (resolver_at := _port(resolver_port or "53")):
        hint = "for instance port=25 or resolver=127.0.0.1:53"
        problems.append(Problem(key="NEWSLETTER_SMTP_URL", what="mx: a port is a number to 65535", hint=hint))
        resolver_at = 53
    hello = options.get("hello", "")
    if hello and not all(character.isalnum() or character in "-." for character in hello):
        hint = "the name that the DNS has for our address"
        problems.append(Problem(key="NEWSLETTER_SMTP_URL", what=f"mx: {hello!r} is no name of a host", hint=hint))
    if problems or relay is None:
        raise ConfigError(problems)
    return Direct(relay=replace(relay, port=port), hello=hello, resolver=(host, resolver_at))


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= 65_535 else 0  # noqa: PLR2004


def open_direct(
    url: str, *, timeouts: Timeouts = DEFAULT_TIMEOUTS, loop_factory: LoopFactory | None = None
) -> DirectSend:
    """A sender to the servers of the readers' domains; nothing is asked or connected yet. ConfigError."""
    return DirectSend(parse_direct(url), timeouts=timeouts, loop_factory=loop_factory or fastest_loop())


@dataclass(frozen=True, slots=True)
class Route:
    """The servers of a domain: names with their addresses, best first, in the lane of their owner."""

    group: str
    places: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _NoRoute:
    """Why there is none: for good as a reply's code and text, or (code 0) for now."""

    code: int
    text: str


class DirectSend:
    """Implements `newsletter.mail.Send` and `Sharing`. May be called again and again, from several threads at once."""

    def __init__(
        self,
        direct: Direct,
        *,
        timeouts: Timeouts,
        loop_factory: LoopFactory,
        lanes: Lanes | None = None,
        guard: Guard | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.direct = direct
        self.timeouts = timeouts
        self._loop_factory = loop_factory
        self.lanes = lanes or OwnLanes()
        self.guard = guard or Guard()
        self.clock = clock
        self.resting: dict[Route, tuple[float, float]] = {}  # how long, and until when, of servers not to be reached
        self._exchangers: Exchangers | None = None
        self.context = ssl.create_default_context()
        self.context.check_hostname = False
        self.context.verify_mode = ssl.CERT_NONE  # a stranger's name proves nothing: anybody may write the MX

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"

    @property
    def exchangers(self) -> Exchangers:
        """Made when it is first needed, so that a command that sends nothing needs no name server. SendError."""
        if self._exchangers is None:
            host, port = self.direct.resolver
            self._exchangers = Exchangers(nameserver=host, port=port)
        return self._exchangers

    def sharing(self, lanes: Lanes, *, guard: Guard, clock: Callable[[], float] = time.time) -> DirectSend:
        """The same sender with what all workers know, that connects to nothing `guard` forbids."""
        return DirectSend(
            self.direct, timeouts=self.timeouts, loop_factory=self._loop_factory, lanes=lanes, guard=guard, clock=clock
        )

    def __call__(self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        """Send until `messages` ends or `stop()`; see `newsletter.mail.Send`. SendError where no name server helps."""
        call = _Call(self, messages=iter(messages), record=record, stop=stop)
        with asyncio.Runner(loop_factory=self._loop_factory) as runner:
            runner.run(call.run())


@dataclass(eq=False, slots=True)
class _Lane:
    """A group of servers during one call, as one of our domains writes to it."""

    name: str
    pace: Pace
    waiting: dict[Route, deque[Message]] = field(default_factory=dict)
    count: int = 0  # of those waiting
    put_off: int = 0
    workers: int = 0
    leaving: bool = False  # takes nothing more for a long while


class _Paced:
    """A lane's pace, which it leaves rather than wait for long. Implements `smtp.Pacing`."""

    def __init__(self, lane: _Lane) -> None:
        self._lane = lane
        self.took, self.slow, self.well = lane.pace.took, lane.pace.slow, lane.pace.well

    def seconds(self, now: float) -> float:
        """How long to wait before the next message."""
        wait = self._lane.pace.seconds(now)
        self._lane.leaving = self._lane.leaving or wait > LONG
        return wait


class _Call:
    """One call: messages find their lanes, lanes their connections."""

    def __init__(
        self, send: DirectSend, *, messages: Iterator[Message], record: Record, stop: Callable[[], bool]
    ) -> None:
        self._send = send
        self._relay = send.direct.relay
        self._messages = messages
        self._record = record
        self._stop = stop
        self._lanes: dict[str, _Lane] = {}
        self._routes: dict[str, asyncio.Task[Route | _NoRoute]] = {}  # by domain
        self._held: dict[int, Message] = {}  # taken, without an outcome, and carried by no connection
        self._carried: dict[int, Message] = {}
        self._failed_lookups = 0
        self._halted: SendError | None = None
        self._ended = False
        self._group = asyncio.TaskGroup()

    async def run(self) -> None:
        """Until there is nothing more to send."""
        try:
            async with self._group:
                for _ in range(ROUTERS):
                    self._group.create_task(self._find_routes())
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            for lane in self._lanes.values():
                lane.pace.leave(asyncio.get_running_loop().time())
            self._end(list(self._held.values()), text=str(self._halted or "given up"), given_up=self._halted is None)
        if self._halted is not None:
            raise self._halted

    # --- to the lanes ---------------------------------------------------------------------------------------------

    async def _find_routes(self) -> None:
        while (message := await self._take()) is not None:
            domain = message.recipient.rpartition("@")[2].lower()
            if domain not in self._routes:
                if len(self._routes) > MOST_HELD * 10:
                    self._routes = {name: task for name, task in self._routes.items() if not task.done()}
                self._routes[domain] = self._group.create_task(self._route(domain))
            route = await self._routes[domain]
            if isinstance(route, Route):
                await self._to_lane(message, route)
            else:
                self._no_way(message, route)

    async def _take(self) -> Message | None:
        while len(self._held) + len(self._carried) >= MOST_HELD and not self._stop():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK)
        if self._ended or self._halted is not None or self._stop():
            return None
        message = next(self._messages, None)
        self._ended = message is None
        if message is not None:
            self._held[message.delivery] = message
        return message

    async def _route(self, domain: str) -> Route | _NoRoute:
        """The servers of a domain that may be connected to."""
        exchangers = self._send.exchangers
        exchange = await exchangers.of(domain)
        if exchange.refusal is not None:
            self._failed_lookups = 0
            return _NoRoute(*exchange.refusal)
        if exchange.trouble:
            self._failed_lookups += 1
            if self._failed_lookups >= LOOKUPS_IN_A_ROW:
                self._halted = SendError(
                    f"{self._failed_lookups} lookups in a row failed, the last: {exchange.trouble}"
                )
            return _NoRoute(0, exchange.trouble)
        self._failed_lookups = 0
        places: list[tuple[str, str]] = []
        complaint = ""
        for host in exchange.hosts:
            for address in await exchangers.addresses(host):
                if why := self._send.guard.complaint(address):
                    complaint = why
                else:
                    places.append((host, address))
            if len(places) >= MOST_ADDRESSES:
                break
        if places:
            first = exchange.hosts[0]
            return Route(registrable(first) or first, tuple(places[:MOST_ADDRESSES]))
        if complaint:
            return _NoRoute(554, f"5.4.4 the mail server of {domain} may not be asked: {complaint}")
        return _NoRoute(0, f"no mail server of {domain} has an address: {', '.join(exchange.hosts)}")

    def _no_way(self, message: Message, route: _NoRoute) -> None:
        if not route.code:
            self._end([message], text=route.text, put_off=FIRST_REST)
            return
        decision = read_reply(route.code, route.text, phase=Phase.RCPT)
        verdict = decision.verdict if decision.verdict is Verdict.SUPPRESS else Verdict.REJECTED
        outcome = Outcome(
            delivery=message.delivery, verdict=verdict, code=route.code, text=route.text, phase=Phase.RCPT.value
        )
        del self._held[message.delivery]
        self._record([outcome], ())

    async def _to_lane(self, message: Message, route: Route) -> None:
        lane = self._lane(message, route)
        rest = self._send.resting.get(route, (0.0, 0.0))[1] - self._send.clock()
        if rest > 0:
            self._end([message], text=f"{route.places[0][0]} could not be reached a while ago", put_off=rest)
            return
        if lane.leaving:
            lane.leaving = lane.pace.seconds(asyncio.get_running_loop().time()) > LONG
        while lane.count >= MOST_WAITING and not self._is_slow(lane) and not self._stop():  # noqa: ASYNC110
            await asyncio.sleep(_LOOK)
        if self._is_slow(lane):
            self._put_off(lane, [message])
            return
        lane.waiting.setdefault(route, deque()).append(message)
        lane.count += 1
        if lane.workers < min(self._relay.connections, lane.count):
            lane.workers += 1
            self._group.create_task(self._work(lane))

    def _lane(self, message: Message, route: Route) -> _Lane:
        name = f"{message.sender.rpartition('@')[2].lower()} to {route.group}"
        if name not in self._lanes:
            pace = Pace(self._relay.limits, lanes=self._send.lanes, name=name, clock=self._send.clock)
            self._lanes[name] = _Lane(name, pace)
        return self._lanes[name]

    def _backlog(self, lane: _Lane) -> float:
        """How long, in seconds, until one that came now would have its turn, as far as the rate tells."""
        waiting = lane.count + lane.put_off
        return waiting / self._relay.rate if self._relay.rate and lane.count >= MOST_WAITING else 0.0

    def _is_slow(self, lane: _Lane) -> bool:
        return lane.leaving or self._backlog(lane) > LONG

    def _put_off(self, lane: _Lane, messages: Sequence[Message]) -> None:
        wait = lane.pace.seconds(asyncio.get_running_loop().time())
        if lane.pace.is_spent:
            self._end(messages, text=f"what may go from {lane.name} today is through (warm_up)", put_off=wait)
            return
        lane.put_off += len(messages)
        seconds = min(max(wait, self._backlog(lane), LONG), LONGEST_PUT_OFF)
        self._end(messages, text=f"waits for its turn from {lane.name}", put_off=seconds)

    # --- over a lane ----------------------------------------------------------------------------------------------

    async def _work(self, lane: _Lane) -> None:
        """One connection's worth of a lane: the messages of one domain's servers after another."""
        try:
            while lane.waiting and not self._stop():
                route = max(lane.waiting, key=lambda route: len(lane.waiting[route]))
                if await self._may_begin(lane):
                    await self._carry(lane, route)
                elif lane.leaving:
                    self._put_off(lane, self._taken_from(lane, route))
        finally:
            lane.workers -= 1

    async def _may_begin(self, lane: _Lane) -> bool:
        while not (lane.leaving or self._stop()):
            wait = _Paced(lane).seconds(asyncio.get_running_loop().time())
            if not wait:
                return True
            await asyncio.sleep(min(wait, _LOOK * 10))
        return False

    async def _carry(self, lane: _Lane, route: Route) -> None:
        relay = replace(self._relay, host=route.places[0][0], connections=1)
        try:
            await carry(
                relay,
                self._taken(lane, route),
                connect=partial(self._connect, relay, route),
                record=partial(self._record_of, lane),
                stop=lambda: lane.leaving or self._stop(),
                pace=_Paced(lane),
                timeouts=self._send.timeouts,
            )
        except SendError as error:
            self._rest(lane, route, error)
        else:
            self._send.resting.pop(route, None)

    async def _connect(self, relay: Relay, route: Route) -> Session:
        """To the best server that can be reached; in clear text where TLS is offered and fails (RFC 7435)."""
        last: SendError = SendError("no server")
        for host, address in route.places:
            for tls in (relay.tls, Tls.OFF) if relay.tls is Tls.AUTO else (relay.tls,):
                server = replace(relay, host=host, address=address, tls=tls)
                try:
                    return await open_session(
                        server,
                        context=self._send.context,
                        hostname=self._send.direct.hello,
                        timeouts=self._send.timeouts,
                    )
                except Refused as error:  # without a user it is about TLS
                    last = error
                except SendError as error:
                    last = error
                    break
        raise last

    def _rest(self, lane: _Lane, route: Route, error: SendError) -> None:
        """Leave servers alone that cannot be used, longer each time."""
        seconds, until = self._send.resting.get(route, (0.0, 0.0))
        if until <= self._send.clock():  # else another connection has met the same
            seconds = min(max(2 * seconds, FIRST_REST), LONGEST_REST)
            self._send.resting[route] = (seconds, self._send.clock() + seconds)
        self._end(self._taken_from(lane, route), text=str(error), put_off=seconds)

    def _taken(self, lane: _Lane, route: Route) -> Iterator[Message]:
        while queue := lane.waiting.get(route):
            message = queue.popleft()
            lane.count -= 1
            if not queue:
                del lane.waiting[route]
            self._carried[message.delivery] = self._held.pop(message.delivery)
            yield message

    def _taken_from(self, lane: _Lane, route: Route) -> Sequence[Message]:
        left = lane.waiting.pop(route, deque())
        lane.count -= len(left)
        return tuple(left)

    def _record_of(self, lane: _Lane, outcomes: Sequence[Outcome], starting: Sequence[int]) -> Collection[int]:
        back = {outcome.delivery for outcome in outcomes if outcome.given_up and lane.leaving and not self._stop()}
        kept = [outcome for outcome in outcomes if outcome.delivery not in back]
        refused: Collection[int] = self._record(kept, starting) if kept or starting else ()
        for delivery in refused:  # it never leaves, and nobody will tell what became of it
            self._carried.pop(delivery, None)
        messages: Mapping[int, Message] = {
            outcome.delivery: self._carried.pop(outcome.delivery) for outcome in outcomes
        }
        if back:
            self._held |= {delivery: messages[delivery] for delivery in back}
            self._put_off(lane, [messages[delivery] for delivery in back])
        return refused

    def _end(
        self, messages: Sequence[Message], *, text: str, put_off: float | None = None, given_up: bool = False
    ) -> None:
        """Give back messages that no connection carries."""
        for message in messages:
            del self._held[message.delivery]
        outcomes = [
            Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=text, put_off=put_off, given_up=given_up)
            for message in messages
        ]
        if outcomes:
            self._record(outcomes, ())
