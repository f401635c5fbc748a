"""Stage 4: claim, assemble, send, mark.

    recover | claim -> assemble -> offer -> start -> send -> mark, until nothing is due

The ledger is written in this order, and a crash between any two lines loses nobody: a row is claimed before its message
exists, started before its body leaves, and marked when the reply is there. Starting looks once more whether it may go.
What readers chose counts as of the moment their delivery is claimed.
Marks and starts of one turn, a message or two of each connection, are one transaction.
"""

from __future__ import annotations

import gc
import random
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache, partial

from newsletter.editions import NOTHING, Editions
from newsletter.errors import Insecure, Refused, SendError, StoreError
from newsletter.links import Links, Purpose
from newsletter.mail import Send
from newsletter.mail.breaker import Breaker, objections
from newsletter.mail.dkim import Signer, signed
from newsletter.mail.headers import parse_mailbox
from newsletter.mail.message import Assembly, Body, Letterhead, compile_issue
from newsletter.model import Delivered, Message, Objection, Outcome, Recipient, State, Token, Verdict
from newsletter.report import hold_line
from newsletter.store import Store
from newsletter.store.deliveries import Claimed, Mark
from newsletter.store.issues import Frozen
from newsletter.store.owner import is_gone, this_process
from newsletter.windows import opening

LEASE = timedelta(seconds=30)
BATCH, LARGEST_BATCH = 150, 600
TOGETHER, SIGNED_TOGETHER = 64, 16  # messages that are made in a row: one at a time takes a twelfth more of all CPU
YOUNG = 20_000  # objects that may be made between two looks for cycles among them; Python says 700
QUICK = timedelta(seconds=2)  # a batch that went in less is followed by one twice as large
LOOK = timedelta(seconds=1)  # between two looks whether the issue was held up, where no turn of sending shows it

# How long to wait after the first, second, … refusal "for now". Ten minutes is what greylisting servers ask for
# (RFC 6647), the rest doubles; RFC 5321 4.5.4.1 wants 30 minutes on average.
BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (10, 30, 60, 120, 240, 480))
RECONNECT = timedelta(minutes=1)
UNCERTAIN_WAIT = timedelta(minutes=15)
TOO_LATE = "could not go before it expired"

# For each message, and a member of an enumeration costs more to look up than a name.
_PREFERENCES, _PREFERENCES_URL, _UNSUBSCRIBE = Purpose.PREFERENCES, Token.PREFERENCES_URL, Purpose.UNSUBSCRIBE
_TAKEN, _SENT, _SUPPRESS = Verdict.SENT, State.SENT, Verdict.SUPPRESS

Clock = Callable[[], datetime]


def deliver(
    issue: int,
    *,
    send: Send,
    links: Links,
    store: Store,
    clock: Clock,
    stop: Callable[[], bool] = lambda: False,
    progress: Callable[[Outcome], None] = lambda _: None,
    signer: Signer | None = None,
) -> Delivered:
    """Send every message of a published issue that is due now; safe to call again, and in several processes at once.

    `stop` turning true ends it soon: what is in flight is finished, what was claimed is given back. So does a word from
    elsewhere that the issue is paused or cancelled; one that is already gives no message. A mail server that cannot be
    used at all is a report with `stopped`, and everything stays queued; if it refuses us, the issue is paused. NotFound
    for an unknown issue. With a `signer` every message carries DKIM signatures.
    """
    _collect_seldom()
    owner = this_process()
    store.deliveries.recover(now=clock(), is_gone=is_gone)
    frozen = store.issues.load(issue)
    stopped = ""
    work = _Work(
        frozen=frozen,
        links=links,
        store=store,
        clock=clock,
        stop=stop,
        owner=owner,
        progress=progress,
        signer=signer,
    )
    if store.holds.get(issue) is None:
        with _held(store, owner, clock), store.db.keeping():
            try:
                send(work.messages(), record=work.record, stop=work.should_stop)
            except SendError as error:
                stopped = str(error)
                if isinstance(error, Refused) and not isinstance(error, Insecure):
                    store.holds.pause(issue, who="", why=stopped, now=clock())
            finally:
                store.deliveries.release(issue=issue, owner=owner)
    hold = store.holds.get(issue)
    if hold is not None and hold.cancelled:
        store.holds.sweep(issue, now=clock())
    store.deliveries.expire(issue, reason=TOO_LATE, now=clock())
    return Delivered(
        issue=issue,
        outcomes=dict(work.outcomes),
        states=store.deliveries.counts(issue),
        stopped=hold_line(hold) if hold else stopped or ("asked to stop" if stop() else ""),
        held=hold is not None,
    )


@dataclass
class _Work:
    """One issue on its way through one process: gives out messages, takes back outcomes."""

    frozen: Frozen
    links: Links
    store: Store
    clock: Clock
    stop: Callable[[], bool]
    owner: str
    progress: Callable[[Outcome], None]
    signer: Signer | None = None
    outcomes: Counter[Verdict] = field(default_factory=Counter)
    held: dict[int, Claimed] = field(default_factory=dict)
    is_too_late: bool = False  # the lease ran out: what was claimed with it is another process's by now, or soon
    zones: Collection[str] | None = None  # of its deliveries, once it matters
    closed: Collection[str] = frozenset()
    breaker: Breaker = field(default_factory=Breaker)
    is_on_hold: bool = False  # the issue, as of the last look
    looked_at: datetime | None = None

    def messages(self) -> Iterator[Message]:
        """A message for each delivery that is due and may still go, claimed in batches."""
        editions = Editions(self.frozen, partial(compiled, links=self.links))
        limit, last = BATCH, None
        while not self.should_stop():
            now = self.clock()
            if last is not None:
                limit = min(2 * limit, LARGEST_BATCH) if now - last < QUICK else BATCH
            last = now
            batch = self.store.deliveries.claim(
                self.frozen.id,
                owner=self.owner,
                now=now,
                lease_until=now + LEASE,
                limit=limit,
                closed=self._closed(now),
            )
            if not batch:
                return
            together = TOGETHER if self.signer is None else SIGNED_TOGETHER  # a millisecond's work, or a few
            for start in range(0, len(batch), together):
                if self.is_too_late:
                    return
                yield from self._messages(batch[start : start + together], editions)

    def should_stop(self) -> bool:
        """Whether we were asked to stop, or the issue was held up: known within a second, however slow it goes."""
        if self.is_on_hold or self.stop():
            return True
        now = self.clock()
        if self.looked_at is None or abs(now - self.looked_at) >= LOOK:
            self.is_on_hold = self.looked_at is not None and self.store.holds.get(self.frozen.id) is not None
            self.looked_at = now
        return self.is_on_hold

    def _closed(self, now: datetime) -> Collection[str]:
        """The time zones in which it is not the hour for mail; what is due there waits until it is."""
        window = self.frozen.window
        if window is None:
            return ()
        if self.zones is None:
            self.zones = self.store.deliveries.zones(self.frozen.id)
        until = {zone: opens for zone in self.zones if (opens := opening(window, now, zone)) > now}
        if until.keys() - self.closed:
            self.store.deliveries.put_off(self.frozen.id, until, now=now)
        self.closed = until.keys()
        return self.closed

    def _messages(self, batch: Sequence[Claimed], editions: Editions) -> Sequence[Message]:
        """Those of some deliveries that may go."""
        made = []
        for claimed in batch:
            message = self._message(claimed, editions)
            if message is not None:
                self.held[claimed.id] = claimed
                made.append(message)
        return made

    def _message(self, claimed: Claimed, editions: Editions) -> Message | None:
        """The message, or None when it must not go: the reader left, or wants nothing of it."""
        if claimed.hindrance:
            self._drop(claimed.id, State.EXCLUDED, claimed.hindrance)
            return None
        body = editions.body(claimed.choices)
        if body is None:
            self._drop(claimed.id, State.EXCLUDED, NOTHING)
            return None
        recipient = Recipient(
            delivery=claimed.id,
            subscriber=claimed.subscriber,
            email=claimed.email,
            name=claimed.name,
            message_id=message_id(self.frozen, claimed.id),
        )
        try:
            message = address(
                editions.assembly, recipient, newsletter=self.frozen.newsletter.name, links=self.links, body=body
            )
        except ValueError as error:  # an address that cannot stand in an envelope: no reason to stop for the others
            self._drop(claimed.id, State.REJECTED, str(error))
            return None
        # The same message on every attempt, so the time in the signature is the issue's.
        return signed(message, self.signer, at=self.frozen.published_at, beginning=body.beginning)

    def _drop(self, delivery: int, state: State, reason: str) -> None:
        """End a delivery without a message."""
        mark = Mark(delivery=delivery, state=state, reason=reason)
        self.store.deliveries.turn(self.frozen.id, [mark], (), owner=self.owner, now=self.clock())

    def record(self, outcomes: Sequence[Outcome], starting: Sequence[int]) -> Collection[int]:
        """Write down what became of messages and which bodies are about to leave; those that must not, after all.

        When the database fails half-way the sender hands the same outcomes over again; what was written counts once.
        """
        now = self.clock()
        outcomes = [outcome for outcome in outcomes if outcome.delivery in self.held]
        marks = [decide(outcome, attempts=self.held[outcome.delivery].attempts, now=now) for outcome in outcomes]
        refused = self.store.deliveries.turn(self.frozen.id, marks, starting, owner=self.owner, now=now)
        for outcome in outcomes:
            if outcome.verdict is _SUPPRESS:
                subscriber = self.held[outcome.delivery].subscriber
                self.store.subscribers.suppress(subscriber, reason=_reason(outcome), now=now)
            del self.held[outcome.delivery]
            self.outcomes[outcome.verdict] += 1
            self.progress(outcome)
        if noted := objections(outcomes):
            self._judge(noted, now)
        if refused:
            hindrances = self.store.deliveries.hindrances(refused, owner=self.owner)
            for delivery, why in hindrances.items():
                self._drop(delivery, State.EXCLUDED, why)
            self.is_too_late = self.is_too_late or len(hindrances) < len(refused)
        return refused

    def _judge(self, noted: Sequence[Objection], now: datetime) -> None:
        """Pause the issue when too much was refused."""
        issue = self.frozen.id
        refused, worst = self.store.holds.note(issue, noted)
        why = self.breaker.trips(refused, worst, sent=lambda: self.store.holds.sent(issue))
        if why:
            self.store.holds.pause(issue, who="", why=why, now=now)
            self.is_on_hold = True


def compiled(frozen: Frozen, links: Links) -> Assembly:
    """A published issue of which only the recipients are missing."""
    return compile_issue(frozen.rendered, letterhead(frozen, links), common=_common(frozen, links))


def address(
    assembly: Assembly, recipient: Recipient, *, newsletter: str, links: Links, body: Body | None = None
) -> Message:
    """One recipient's message, with the links that only they may use; the whole issue, or the `body` of an edition."""
    subscriber = recipient.subscriber
    return assembly.message(
        recipient,
        tokens={_PREFERENCES_URL: links.url(_PREFERENCES, subscriber=subscriber, newsletter=newsletter)},
        unsubscribe_url=links.url(_UNSUBSCRIBE, subscriber=subscriber, newsletter=newsletter),
        unsubscribe_mailto=links.unsubscribe_mailto(subscriber=subscriber, newsletter=newsletter),
        bounce=links.envelope_sender(recipient.delivery),
        body=body,
    )


def tokens(frozen: Frozen, recipient: Recipient, *, links: Links) -> dict[Token, str]:
    """What stands in each token's place for this recipient."""
    subscriber, newsletter = recipient.subscriber, frozen.newsletter.name
    return {
        **_common(frozen, links),
        Token.NAME: recipient.name,
        Token.EMAIL: recipient.email,
        Token.UNSUBSCRIBE_URL: links.url(Purpose.UNSUBSCRIBE, subscriber=subscriber, newsletter=newsletter),
        Token.PREFERENCES_URL: links.url(Purpose.PREFERENCES, subscriber=subscriber, newsletter=newsletter),
    }


def _common(frozen: Frozen, links: Links) -> dict[Token, str]:
    return {Token.WEB_URL: links.archive_url(frozen.newsletter.name, frozen.issue.slot.key)}


def decide(outcome: Outcome, *, attempts: int, now: datetime) -> Mark:
    """What to write into the ledger for an outcome. Pure; `attempts` counts those before this one."""
    if outcome.verdict is _TAKEN:
        return Mark(outcome.delivery, _SENT, code=outcome.code, reply=outcome.text)
    if outcome.put_off is not None:
        return _mark(outcome, State.QUEUED, due_at=now + timedelta(seconds=outcome.put_off))
    if outcome.verdict is Verdict.UNSENT:
        return _mark(outcome, State.QUEUED, due_at=now if outcome.given_up else now + RECONNECT)
    if outcome.verdict is Verdict.UNCERTAIN:
        return _mark(outcome, State.UNCERTAIN, due_at=now + UNCERTAIN_WAIT)
    if outcome.verdict is Verdict.DEFERRED:
        return _mark(outcome, State.DEFERRED, due_at=now + wait(attempts, outcome.retry_after))
    return _mark(outcome, State.REJECTED)


def wait(attempts: int, retry_after: float | None = None) -> timedelta:
    """How long to leave a server alone after a refusal "for now"; never shorter than it asked for.

    `attempts` counts those before this one: the first time a server that names a time (in seconds) is taken at its
    word. A tenth of it is chance, so that a thousand messages deferred together do not come back together.
    """
    step = BACK_OFF[min(attempts, len(BACK_OFF) - 1)]
    asked = timedelta(seconds=retry_after or 0)
    return (asked if asked and not attempts else max(step, asked)) * random.uniform(1, 1.1)  # noqa: S311  # spreads load, guards nothing


def message_id(frozen: Frozen, delivery: int) -> str:
    """A delivery's Message-ID: unique, and the same on every attempt, so that a receiver can drop a second copy."""
    return f"<{frozen.id}.{delivery}.{frozen.nonce}@{_domain(frozen.newsletter.sender)}>"


@cache
def _domain(sender: str) -> str:
    return sender.rpartition("@")[2].strip(" >")


def _mark(outcome: Outcome, state: State, *, due_at: datetime | None = None) -> Mark:
    reason = _reason(outcome)
    return Mark(
        delivery=outcome.delivery, state=state, reason=reason, code=outcome.code, reply=outcome.text, due_at=due_at
    )


def _reason(outcome: Outcome) -> str:
    """Why, in one line: the server's words, or where the connection was lost."""
    if outcome.code:
        return f"{outcome.code} {outcome.text}".strip()
    return outcome.text or f"connection lost in {outcome.phase}"


def letterhead(frozen: Frozen, links: Links) -> Letterhead:
    """What the headers of all messages of an issue have in common."""
    newsletter = frozen.newsletter
    domain = _domain(newsletter.sender)
    return Letterhead(
        sender=parse_mailbox(newsletter.sender),
        list_id=f"{newsletter.name}.{domain}",
        list_title=newsletter.title,
        list_archive=links.archive_url(newsletter.name, ""),
        feedback_id=f"{frozen.id}:{newsletter.name}:newsletter:{domain}",
        date=frozen.published_at,
    )


def _collect_seldom() -> None:
    """Look for cycles less often, from now on in all of this process: sending makes none, and the looks take 2 %."""
    young, *older = gc.get_threshold()
    if 0 < young < YOUNG:
        gc.set_threshold(YOUNG, *older)


@contextmanager
def _held(store: Store, owner: str, clock: Clock) -> Iterator[None]:
    """Keep this process's leases alive while a slow server makes us wait (ten minutes after the final dot)."""
    over = threading.Event()

    def renew() -> None:
        while not over.wait(LEASE.total_seconds() / 3):
            # A database that is away for a moment is asked again; if it stays away, the leases run out as they should.
            with suppress(StoreError):
                store.deliveries.renew(owner=owner, lease_until=clock() + LEASE)

    thread = threading.Thread(target=renew, name="leases", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
