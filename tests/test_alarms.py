"""The operator hears of each trouble once, and once more when it is over."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from newsletter.alarms import LATE, SILENT, STALE, away, failing, late, silent, sound, stale
from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.daemon import Daemon
from newsletter.errors import Refused
from newsletter.mail import Record
from newsletter.mail.dkim import Key, Signer
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.model import Lane, Message, Outcome, State, Trouble, Verdict
from newsletter.store import Store
from newsletter.store.pulse import News, Stuck
from newsletter.store.sources import Health
from tests.builders import DAY, HOUR, MINUTE, NOON, a_slot
from tests.test_daemon import EIGHT, MORNING, Clock
from tests.workspaces import make_workspace

OPERATOR = "operator@example.org"
TROUBLE = Trouble(name="late/x", title="x is late", lines=("It was due at eight.", "`newsletter runs` tells more."))


# --- what is a trouble ----------------------------------------------------------------------------------------------


def a_source(**changes: object) -> Health:
    """A source that was read a moment ago."""
    fine = Health(name="blog", tried_at=NOON, succeeded_at=NOON, failures=0, rests_until=None, error="")
    return dataclasses.replace(fine, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "is_silent"),
    [
        ({}, False),
        ({"succeeded_at": NOON - SILENT - MINUTE}, False),  # nobody asked it since: no fault of its own
        ({"error": "404", "failures": 9, "succeeded_at": NOON - SILENT}, False),
        ({"error": "404", "failures": 9, "succeeded_at": NOON - SILENT - MINUTE}, True),
        ({"error": "404", "failures": 2, "succeeded_at": None}, False),
        ({"error": "404", "failures": 9, "succeeded_at": None}, True),
    ],
)
def test_a_silent_source(changes: dict[str, object], is_silent: bool) -> None:
    """One that fails for days, or fails again and again from its first day on."""
    found = list(silent([a_source(**changes)], now=NOON))

    assert bool(found) is is_silent
    assert all("blog" in trouble.title and "404" in trouble.lines[0] for trouble in found)


@pytest.mark.parametrize(
    ("changes", "count", "quiet", "is_stale"),
    [
        ({}, 60, STALE, False),
        ({}, 60, STALE + MINUTE, True),  # one a day, and nothing for a week
        ({}, 6, 49 * DAY, False),  # one in ten days
        ({}, 6, 51 * DAY, True),
        ({}, 4, 59 * DAY, False),  # too few to tell
        ({"error": "404"}, 60, STALE + MINUTE, False),  # that is another trouble
    ],
)
def test_a_stale_source(changes: dict[str, object], count: int, quiet: timedelta, is_stale: bool) -> None:
    """One that is read well and has had nothing new for much longer than it usually goes without."""
    news = {"blog": News(last=NOON - quiet, count=count)}

    assert bool(list(stale([a_source(**changes)], news, now=NOON))) is is_stale


def test_what_is_late() -> None:
    """A slot without an issue after a quarter of an hour, and an issue of which nothing goes."""
    slot = a_slot(at=NOON - LATE)
    stuck = Stuck(newsletter="daily-papers", slot=slot.key, due_at=NOON - HOUR)

    assert list(late([slot], [], now=NOON)) == []
    assert [trouble.title for trouble in late([slot], [stuck], now=NOON + MINUTE)] == [
        f"daily-papers {slot.key} is late",
        f"daily-papers {slot.key} does not go out",
    ]


@pytest.mark.parametrize(
    ("counts", "fails"),
    [
        ({State.SENT: 95, State.REJECTED: 5}, False),
        ({State.SENT: 94, State.REJECTED: 4, State.EXPIRED: 1, State.UNCERTAIN: 1}, True),
        ({State.SENT: 9, State.REJECTED: 9}, False),  # too few to speak of a share
        ({State.QUEUED: 100, State.SENT: 19, State.REJECTED: 2}, True),  # of those that have ended
    ],
)
def test_a_share_of_failures(counts: dict[State, int], fails: bool) -> None:
    """More than one in twenty of those that have ended."""
    assert bool(list(failing("daily-papers", "morning/2026-11-20", counts))) is fails


# --- what the store remembers of it -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "failures", "rested", "is_away"),
    [
        ("mail server a.example.org:25", 2, MINUTE, True),
        ("mail server a.example.org:25", 1, MINUTE, False),  # once is no trouble yet
        ("mail server a.example.org:25", 9, -DAY, False),  # nobody has tried it since yesterday: it is used no more
        ("example.org to example.net", 9, MINUTE, False),  # a stranger's servers are a stranger's business
    ],
)
def test_a_mail_server_that_is_away(name: str, failures: int, rested: timedelta, is_away: bool) -> None:
    """One of several that failed again and again is told, with why."""
    lane = Lane(failures=failures, rests_until=(NOON + rested).timestamp(), trouble="no answer in time")
    found = list(away({name: lane}, now=NOON))

    assert [trouble.name for trouble in found] == ([f"away/{name}"] if is_away else [])
    assert all("no answer in time" in trouble.lines[0] for trouble in found)


def test_a_trouble_is_told_once_and_once_more(store: Store) -> None:
    """New, told, lasting, over, told, forgotten; and new again."""

    def pending() -> list[str]:
        return ["over" if alarm.over_at else "new" for alarm in store.alarms.list() if alarm.pending]

    store.alarms.update([TROUBLE], now=NOON)
    told = [pending()]
    store.alarms.tell(store.alarms.list()[0], now=NOON)
    for troubles in ([TROUBLE], [], [TROUBLE], []):
        store.alarms.update(troubles, now=NOON + MINUTE)
        told.append(pending())
    (over,) = store.alarms.list()
    store.alarms.tell(over, now=NOON + MINUTE)
    told.append(pending())
    store.alarms.update([TROUBLE], now=NOON + HOUR)
    told.append(pending())

    assert told == [["new"], [], ["over"], [], ["over"], [], ["new"]]
    assert over.since == NOON
    assert over.trouble == TROUBLE


def test_a_trouble_that_was_over_before_it_was_told_is_not_told(store: Store) -> None:
    """Nobody needs two mails about nothing."""
    store.alarms.update([TROUBLE], now=NOON)
    store.alarms.update([], now=NOON + MINUTE)

    assert store.alarms.list() == []


# --- the mails ------------------------------------------------------------------------------------------------------


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


@pytest.fixture
def app(tmp_path: Path, mailbox: Mailbox, database_url: str) -> Iterator[App]:
    """A newsletter whose operator has an address."""
    folder = tmp_path / "workspace"
    workspace = make_workspace(folder, smtp_url=mailbox.url, database_url=database_url, readers=2)
    (folder / "schedules.yaml").write_text(MORNING, encoding="utf-8")
    with open_app(load_config(folder, {**workspace.settings, "NEWSLETTER_OPERATOR": OPERATOR})) as app:
        yield app


def subjects(mailbox: Mailbox) -> list[str]:
    """Of the mails to the operator, in the order they came."""
    return [message["Subject"] for message in mailbox.messages() if message["Delivered-To"] == OPERATOR]


def test_an_alarm_is_a_mail(app: App, mailbox: Mailbox) -> None:
    """It says what happened and what to do, in both parts; its end comes once too."""
    for minutes, troubles in enumerate(([TROUBLE], [TROUBLE], [], [])):
        sound(app, troubles, now=NOON + minutes * MINUTE)

    first, last = mailbox.messages()
    assert subjects(mailbox) == ["x is late", "Over: x is late"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["From"] == "Daily Papers <papers@example.org>"
    assert first["List-Unsubscribe"] is None
    for part in ("plain", "html"):
        text = first.get_body((part,)).get_content()  # type: ignore[union-attr]
        assert "It was due at eight." in text
        assert "newsletter runs" in text
    over = " ".join(last.get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "2026-11-20 12:00 UTC" in over
    assert "2026-11-20 12:02 UTC" in over


def test_a_mail_server_that_is_down_loses_no_alarm(app: App, mailbox: Mailbox, tmp_path: Path) -> None:
    """It is told when there is one again, once."""
    mailbox.close()
    sound(app, [TROUBLE], now=NOON)
    waiting = [alarm.pending for alarm in app.store.alarms.list()]
    with open_mailbox(tmp_path / "again", port=mailbox.port) as back:
        sound(app, [TROUBLE], now=NOON + MINUTE)
        sound(app, [TROUBLE], now=NOON + 2 * MINUTE)
        told = subjects(back)

    assert waiting == [True]
    assert told == ["x is late"]


def test_without_an_address_alarms_stand_in_the_log(
    app: App, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Once each, as warnings."""
    quiet = dataclasses.replace(app, config=dataclasses.replace(app.config, operator=""))
    for minutes, troubles in enumerate(([TROUBLE], [TROUBLE], [])):
        sound(quiet, troubles, now=NOON + minutes * MINUTE)

    assert [record.getMessage() for record in caplog.records] == ["x is late", "Over: x is late"]
    assert mailbox.messages() == ()


def test_two_daemons_tell_it_once(app: App, mailbox: Mailbox) -> None:
    """Whoever has the turn tells it; one that died with it is waited for, not for ever."""
    app.store.turns.take("alarms", until=NOON + 5 * MINUTE, now=NOON)
    sound(app, [TROUBLE], now=NOON + MINUTE)
    held = subjects(mailbox)
    sound(app, [TROUBLE], now=NOON + 5 * MINUTE)

    assert (held, subjects(mailbox)) == ([], ["x is late"])


def test_a_daemon_tells_of_what_it_finds(app: App, mailbox: Mailbox) -> None:
    """A source that is gone makes the slot late, the slot goes out, and the clock jumps: two mails for each."""
    listing = app.config.workspace / "listing.txt"
    aside = listing.rename(listing.with_suffix(".aside"))
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    daemon.watch()
    clock.now = EIGHT + LATE + MINUTE
    daemon.watch()
    late_by = subjects(mailbox)
    aside.rename(listing)
    daemon.tick()
    daemon.watch()
    clock.jump(5 * DAY)
    daemon.tick()
    daemon.watch()
    daemon.watch()
    clock.jump(-5 * DAY)
    daemon.tick()
    daemon.watch()

    assert late_by == ["daily-papers always/2026-11-20 is late"]
    assert subjects(mailbox) == [
        "daily-papers always/2026-11-20 is late",
        "Over: daily-papers always/2026-11-20 is late",
        "Nothing is sent: the clock may be wrong",
        "Over: Nothing is sent: the clock may be wrong",
    ]


def test_an_issue_that_paused_itself(app: App, mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """The operator is told why and what to do; what they paused themselves they know. A daemon leaves both alone."""
    clock = Clock(EIGHT)
    daemon = Daemon(dataclasses.replace(app, send=_refused), clock=clock, machine=clock.running)
    for _ in range(3):
        daemon.tick()
        daemon.watch()
    untouched = dict(app.store.deliveries.counts(1))
    left_alone = [record.getMessage() for record in caplog.records if "left alone" in record.getMessage()]
    daemon.app = app
    daemon.watch()
    app.store.holds.resume(1, who="ann", now=clock())
    app.store.holds.pause(1, who="ann", why="", now=clock())
    daemon.watch()
    app.store.holds.resume(1, who="ann", now=clock())
    clock.now += 2 * MINUTE
    daemon.tick()
    daemon.watch()

    told = [message for message in mailbox.messages() if message["Delivered-To"] == OPERATOR]
    title = "daily-papers always/2026-11-20 is paused"
    assert [message["Subject"] for message in told] == [title, f"Over: {title}"]
    text = " ".join(told[0].get_body(("plain",)).get_content().split())  # type: ignore[union-attr]
    assert "mail.example.org refuses us: 535 no" in text
    assert "newsletter issues resume 1" in text
    assert untouched == {State.QUEUED: 2}
    assert len(left_alone) == 1
    assert "refuses us: 535 no" in left_alone[0]
    assert app.store.deliveries.counts(1) == {State.SENT: 2}


def _refused(messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
    """A mail server that does not know our password any more."""
    del stop
    message = next(iter(messages))
    record([Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, given_up=True)], [])
    raise Refused("mail.example.org refuses us: 535 no")


def test_an_alarm_is_signed(app: App, mailbox: Mailbox) -> None:
    """Where the newsletter signs its mails it signs these, too."""
    key = Key("news", Ed25519PrivateKey.generate())
    sound(dataclasses.replace(app, signer=Signer("example.org", (key,))), [TROUBLE], now=NOON)

    (path,) = (mailbox.folder / "new").iterdir()
    wire = path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    wire = wire[wire.index(b"DKIM-Signature:") :]
    assert dkim.DKIM(wire).verify(dnsfunc=lambda *_, **__: key.record().encode())


def test_an_issue_that_does_not_go_out(app: App, mailbox: Mailbox, tmp_path: Path) -> None:
    """A mail server that is down for a quarter of an hour is an alarm; it is told when the server is back."""
    mailbox.close()
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    clock.now = EIGHT + HOUR
    daemon.watch()
    problems = daemon.health().problems
    with open_mailbox(tmp_path / "again", port=mailbox.port) as back:
        daemon.watch()
        daemon.tick()
        daemon.watch()
        told = subjects(back)

    assert [problem for problem in problems if "nothing of daily-papers always/2026-11-20 goes out" in problem]
    assert told == [
        "daily-papers always/2026-11-20 does not go out",
        "Over: daily-papers always/2026-11-20 does not go out",
    ]
