"""What the operator hears of without asking: each trouble once, and once more when it is over.

    look at everything -> the troubles there are now -> the table `alarms` -> a mail for what was not told yet

The functions that decide are pure. A mail server that is down loses no alarm: it stays to be told.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from newsletter import consent
from newsletter.app import App
from newsletter.clock import told
from newsletter.errors import NewsletterError
from newsletter.letters import Post, post
from newsletter.mail.budget import LONGEST_REST
from newsletter.mail.relay import RELAY
from newsletter.model import Hold, Lane, Newsletter, Outcome, Slot, State, Trouble, Verdict
from newsletter.render.letter import Letter, Occasion
from newsletter.sources.readers import READERS
from newsletter.store.alarms import Alarm
from newsletter.store.drafts import Draft
from newsletter.store.issues import PUBLISHED
from newsletter.store.pulse import News, Stuck
from newsletter.store.sources import Health

LATE = timedelta(minutes=15)
SILENT = timedelta(days=3)
STALE = timedelta(days=7)
LOOKED_BACK = timedelta(days=60)  # what is usual for a source
_USUAL = 5  # so many times longer than usual without anything new is not usual any more
_ENOUGH = 5  # entries, to tell what is usual
FAILED_SHARE = 0.05  # of an issue's messages: providers mind at this point at the latest
_SOME = 20  # messages, to speak of a share

_CLOCK = "clock/"  # the names of such troubles begin so
_TURN = "alarms"  # the turn's name
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)  # a turn that is free by any clock, also one that was wrong meanwhile
_TELLING = timedelta(minutes=5)  # longer it does not take: whoever holds the turn then is dead

log = logging.getLogger("newsletter.alarms")


# --- what is a trouble ----------------------------------------------------------------------------------------------


def silent(sources: Iterable[Health], *, now: datetime) -> Iterator[Trouble]:
    """Sources that could not be read for days."""
    for source in sources:
        since = source.succeeded_at
        if not source.error or (since and now - since <= SILENT) or (not since and source.failures <= _USUAL):
            continue
        last = f"It was last read {told(now - since)} ago." if since else "It was never read."
        yield Trouble(
            name=f"silent/{source.name}",
            title=f"The source {source.name} is silent",
            lines=(
                f"{last} It has failed {source.failures} times in a row, the last time so: {source.error}",
                f"`newsletter collect --why {source.name}` asks it now and tells step by step what it says.",
            ),
        )


def stale(sources: Iterable[Health], news: Mapping[str, News], *, now: datetime) -> Iterator[Trouble]:
    """Sources that are read well and had nothing new for much longer than they usually go without."""
    for source in sources:
        had = news.get(source.name)
        if source.error or had is None or had.count < _ENOUGH:
            continue
        usual = LOOKED_BACK / had.count
        if now - had.last > max(STALE, _USUAL * usual):
            yield Trouble(
                name=f"stale/{source.name}",
                title=f"The source {source.name} has nothing new",
                lines=(
                    (
                        f"It is read without errors, but had nothing new for {told(now - had.last)}; "
                        f"it had {had.count} new entries in the last {LOOKED_BACK.days} days."
                    ),
                    f"Perhaps it has moved: `newsletter collect --why {source.name}` shows what it gives.",
                ),
            )


def late(slots: Iterable[Slot], stuck: Iterable[Stuck], *, now: datetime) -> Iterator[Trouble]:
    """Slots that are due and have no issue, and issues of which nothing goes."""
    for slot in slots:
        if now - slot.at > LATE:
            yield Trouble(
                name=f"late/{slot.newsletter}/{slot.key}",
                newsletter=slot.newsletter,
                title=f"{slot.newsletter} {slot.key} is late",
                lines=(
                    f"It was due at {slot.at:%Y-%m-%d %H:%M} UTC and is not published.",
                    f"`newsletter runs --why {slot.key}` tells what was tried.",
                ),
            )
    for issue in stuck:
        yield Trouble(
            name=f"stuck/{issue.newsletter}/{issue.slot}",
            newsletter=issue.newsletter,
            title=f"{issue.newsletter} {issue.slot} does not go out",
            lines=(
                (
                    f"Messages are due since {issue.due_at:%Y-%m-%d %H:%M} UTC, and none went out in the last "
                    f"{LATE // timedelta(minutes=1)} minutes."
                ),
                f"`newsletter runs --why {issue.slot}` tells why; often the mail server cannot be reached.",
            ),
        )


def paused(holds: Iterable[Hold]) -> Iterator[Trouble]:
    """Issues that the newsletter itself has paused; what an operator paused they know of."""
    for hold in holds:
        if not hold.who:
            yield Trouble(
                name=f"paused/{hold.issue}",
                newsletter=hold.newsletter,
                title=f"{hold.newsletter} {hold.slot} is paused",
                lines=(
                    f"It has gone no further since {hold.since:%Y-%m-%d %H:%M} UTC: {hold.why}",
                    (
                        f"`newsletter issues show {hold.issue}` tells more. When the cause is mended, "
                        f"`newsletter issues resume {hold.issue}` goes on; `newsletter issues cancel {hold.issue}` "
                        "ends it for good."
                    ),
                ),
            )


def failing(newsletter: str, slot: str, counts: Mapping[State, int]) -> Iterator[Trouble]:
    """An issue of which too large a share was refused or came to nothing."""
    failed = sum(counts.get(state, 0) for state in (State.REJECTED, State.EXPIRED, State.UNCERTAIN))
    ended = failed + counts.get(State.SENT, 0)
    if ended >= _SOME and failed / ended > FAILED_SHARE:
        yield Trouble(
            name=f"failing/{newsletter}",
            newsletter=newsletter,
            title=f"{failed} of {ended} messages of {newsletter} {slot} failed",
            lines=(
                (
                    f"{counts.get(State.REJECTED, 0)} were refused, {counts.get(State.EXPIRED, 0)} given up "
                    f"as too late, {counts.get(State.UNCERTAIN, 0)} are uncertain."
                ),
                (
                    "`newsletter issues list` gives the issue's number, "
                    "`newsletter deliveries NUMBER --state rejected` what the mail server said."
                ),
            ),
        )


def away(lanes: Mapping[str, Lane], *, now: datetime) -> Iterator[Trouble]:
    """Mail servers that could not be used more than once in a row, while others carry what was theirs."""
    for name, lane in lanes.items():
        tried = now.timestamp() - lane.rests_until < LATE.total_seconds() + LONGEST_REST  # else nobody asks any more
        if name.startswith(RELAY) and lane.failures > 1 and tried:
            yield Trouble(
                name=f"away/{name}",
                title=f"One {name} of several gets nothing",
                lines=(
                    f"It could not be used {lane.failures} times in a row, the last time so: {lane.trouble}",
                    "The others of NEWSLETTER_SMTP_URL carry its share; it is tried again by itself.",
                ),
            )


def sign_ups(closed: bool, unconfirmed: tuple[int, int] | None) -> Iterator[Trouble]:
    """Forms that are filled in by machines, or with the addresses of others."""
    if closed:
        yield Trouble(
            name="sign-ups/closed",
            title="Sign-up is closed for a while",
            lines=(
                f"More than {consent.IN_ALL} sign-ups came within an hour, and no more are taken until it is over.",
                "If people really come in such numbers, nothing is wrong: they are told to come back later.",
            ),
        )
    if unconfirmed is not None:
        asked, confirmed = unconfirmed
        yield Trouble(
            name="sign-ups/unconfirmed",
            title="Few sign-ups are confirmed",
            lines=(
                f"Of {asked} addresses that were asked in the last week {confirmed} have confirmed.",
                (
                    "Somebody may fill in the form with the addresses of others, who then complain about your server; "
                    "or the mails that ask do not arrive."
                ),
            ),
        )


def waiting(drafts: Iterable[Draft], *, base_url: str) -> Iterator[Trouble]:
    """Issues that go when somebody says so."""
    for draft in drafts:
        newsletter, slot = draft.slot.newsletter, draft.slot.key
        if draft.approved_at is None:
            until = f"After {draft.until:%Y-%m-%d %H:%M} UTC it is too late. " if draft.until else ""
            yield Trouble(
                name=f"approval/{newsletter}/{slot}",
                newsletter=newsletter,
                title=f"An issue waits for approval: {newsletter} {slot}",
                lines=(
                    f"It is composed and goes when somebody approves it: {base_url}/operator/{newsletter}/next",
                    f"{until}`newsletter issues approve {newsletter} {slot}` does the same.",
                ),
            )


def clock_trouble(doubt: str, boot: str) -> Trouble:
    """A clock that cannot be believed, of one start of a machine."""
    return Trouble(
        name=f"{_CLOCK}{boot}",
        title="Nothing is sent: the clock may be wrong",
        lines=(
            f"On {socket.gethostname()} {doubt}.",
            (
                "Until it is right again nothing is collected, published or sent there. If it is right as it is, "
                "`newsletter daemon --confirm-clock` on that machine says so, and the running daemon goes on."
            ),
        ),
    )


# --- looking, and telling -------------------------------------------------------------------------------------------


def troubles(app: App, *, now: datetime) -> list[Trouble]:
    """Every trouble there is now, by a clock that is right."""
    ticks = app.store.ticks.list()
    # Another machine's clock is that machine's business until it has ticked well again.
    clocks = [alarm.trouble for alarm in app.store.alarms.list() if alarm.trouble.name.startswith(_CLOCK)]
    boots = {trouble.name: ticks.get(trouble.name.removeprefix(_CLOCK)) for trouble in clocks}
    elsewhere = [trouble for trouble in clocks if (tick := boots[trouble.name]) is None or tick.doubted]
    scheduled = {schedule.newsletter for schedule in app.plan.schedules.values()}
    names = {name for newsletter in scheduled for name in app.newsletter(newsletter).sources}
    # Readers need not have anything to suggest.
    names = {name for name in names if app.plan.sources[name].kind != READERS}
    sources = [source for source in app.store.sources.list() if source.name in names]
    news = app.store.pulse.news(since=now - LOOKED_BACK)
    found = [
        *elsewhere,
        *silent(sources, now=now),
        *stale(sources, news, now=now),
        *away(app.store.lanes.list(), now=now),
        *sign_ups(consent.is_closed(app.store, now=now), consent.unconfirmed(app.store, now=now)),
        *waiting(app.store.drafts.list(), base_url=app.config.base_url),
        *late((slot for slot, _ in app.due(now=now)), app.store.pulse.stuck(before=now - LATE), now=now),
        *paused(app.store.holds.waiting()),
    ]
    for newsletter in sorted(scheduled):
        found += _failing(app, newsletter)
    return found


def _failing(app: App, newsletter: str) -> Iterator[Trouble]:
    """Judged by the last issue of which enough has ended."""
    ended = {State.SENT, State.REJECTED, State.EXPIRED, State.UNCERTAIN}
    for issue in app.store.issues.list(newsletter, limit=5):
        counts = app.store.deliveries.counts(issue.id) if issue.state == PUBLISHED else {}
        if sum(count for state, count in counts.items() if state in ended) >= _SOME:
            return failing(newsletter, issue.slot, counts)
    return iter(())


def doubted(app: App, doubt: str, boot: str) -> list[Trouble]:
    """The troubles there are for one whose clock is in doubt: that, and what was known before it was."""
    known = [alarm.trouble for alarm in app.store.alarms.list() if alarm.over_at is None]
    return [*known, clock_trouble(doubt, boot)]


def sound(app: App, found: Iterable[Trouble], *, now: datetime) -> None:
    """Tell the operator what is new, and what is over: in the log, and by mail where there is an address for it.

    What cannot be sent now stays to be told. One process at a time does so.
    """
    app.store.alarms.update({trouble.name: trouble for trouble in found}.values(), now=now)
    pending = [alarm for alarm in app.store.alarms.list() if alarm.pending]
    if not pending or app.store.turns.take(_TURN, until=now + _TELLING, now=now) is not None:
        return
    try:
        pending = [alarm for alarm in app.store.alarms.list() if alarm.pending]  # as it is now that it is our turn
        for alarm in _sent(app, pending, now=now) if app.config.operator else pending:
            log.warning("%s", _title(alarm))
            app.store.alarms.tell(alarm, now=now)
    finally:
        app.store.turns.pass_on(_TURN, free_at=_LONG_AGO)


def _sent(app: App, alarms: Sequence[Alarm], *, now: datetime) -> list[Alarm]:
    """The alarms that the mail server took; one of which that is not sure counts as told."""
    told_of: list[Alarm] = []

    def record(outcome: Outcome) -> None:
        if outcome.verdict in (Verdict.SENT, Verdict.UNCERTAIN):
            told_of.append(alarms[outcome.delivery])
        else:
            log.error("an alarm could not be sent, will be tried again: %s %s", outcome.code, outcome.text)

    posts = [_post(app, alarm, number) for number, alarm in enumerate(alarms)]
    try:
        post(posts, render=app.render, send=app.send, signer=app.signer, record=record, now=now)
    except NewsletterError as error:
        log.error("alarms could not be sent, will be tried again: %s", error)  # noqa: TRY400
    return told_of


def _post(app: App, alarm: Alarm, number: int) -> Post:
    letter = Letter(occasion=Occasion.ALARM, action_url=app.config.base_url, title=_title(alarm), lines=_lines(alarm))
    identity = f"{alarm.trouble.name} {alarm.since.isoformat()} {'over' if alarm.over_at else ''}"
    newsletter = _newsletter(app, alarm)
    return Post(
        number=number,
        identity=identity,
        email=app.config.operator,
        letter=letter,
        newsletter=newsletter,
        language="en",
    )


def _newsletter(app: App, alarm: Alarm) -> Newsletter:
    newsletters = app.plan.newsletters
    return newsletters.get(alarm.trouble.newsletter) or next(iter(newsletters.values()))


def _title(alarm: Alarm) -> str:
    return f"Over: {alarm.trouble.title}" if alarm.over_at else alarm.trouble.title


def _lines(alarm: Alarm) -> tuple[str, ...]:
    if alarm.over_at is None:
        return alarm.trouble.lines
    return (
        f"This began at {alarm.since:%Y-%m-%d %H:%M} UTC and is over since {alarm.over_at:%Y-%m-%d %H:%M} UTC.",
        f"It was told so: {alarm.trouble.lines[0]}",
        *alarm.trouble.lines[1:],
    )
