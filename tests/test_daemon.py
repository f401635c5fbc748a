from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.app import App, open_app
from newsletter.clock import Running
from newsletter.config import load_config
from newsletter.daemon import MISSED, PATIENCE, SOURCE_PATIENCE, Daemon, confirm_clock
from newsletter.deliver import TOO_LATE
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.model import State
from newsletter.report import run_lines
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, MINUTE
from tests.sites import Page, Site
from tests.workspaces import LISTING, PLAN, make_workspace

EIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)  # a Friday
MORNING = PLAN.replace('at: "00:00", timezone: UTC, catch_up: 24h', 'at: "08:00", timezone: UTC, catch_up: 6h')
LOCAL = PLAN.replace('at: "00:00", timezone: UTC, catch_up: 24h', 'at: "08:00", timezone: subscriber, catch_up: 6h')


class Clock:
    """Runs a microsecond each time it is asked, as a real one does; moved by hand, with its machine or without."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.jumped = timedelta(0)

    def __call__(self) -> datetime:
        """The time that was set, and a little more."""
        self.now += timedelta(microseconds=1)
        return self.now

    def running(self) -> Running:
        """The machine it belongs to, which runs as long as it does."""
        return Running(boot="this", uptime=self.now - self.jumped - datetime(2026, 1, 1, tzinfo=UTC))

    def jump(self, by: timedelta) -> None:
        """Go wrong, while the machine runs on as before."""
        self.now += by
        self.jumped += by


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


def opened(folder: Path, mailbox: Mailbox, plan: str = MORNING, readers: int = 2) -> Iterator[App]:
    """The app of a workspace with this plan."""
    workspace = make_workspace(folder, smtp_url=mailbox.url, readers=readers)
    (folder / "schedules.yaml").write_text(plan, encoding="utf-8")
    with open_app(load_config(folder, workspace.settings)) as app:
        yield app


@pytest.fixture
def app(tmp_path: Path, mailbox: Mailbox) -> Iterator[App]:
    """Two readers, every day at eight, caught up until two."""
    yield from opened(tmp_path / "workspace", mailbox)


def test_a_slot_goes_out_once(app: App, mailbox: Mailbox) -> None:
    """Not before its time, then once, however often the clock ticks, goes back or jumps."""
    clock = Clock(EIGHT - MINUTE)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    before = len(mailbox.messages())
    for moment in (EIGHT, EIGHT + MINUTE, EIGHT - HOUR, EIGHT, EIGHT + 5 * HOUR):
        clock.now = moment
        daemon.tick()

    assert before == 0
    assert len(mailbox.messages()) == 2


def test_two_daemons_send_one_issue(app: App, mailbox: Mailbox) -> None:
    """A second daemon on the same database finds the slot decided."""
    Daemon(app, clock=Clock(EIGHT)).tick()
    Daemon(app, clock=Clock(EIGHT)).tick()

    assert len(mailbox.messages()) == 2
    assert len(app.store.issues.list()) == 1


def test_a_short_outage_is_caught_up(app: App, mailbox: Mailbox) -> None:
    """A daemon that was down at eight sends when it is back in time, and leaves it when it is too late."""
    Daemon(app, clock=Clock(EIGHT + 7 * HOUR)).tick()
    too_late = len(mailbox.messages())
    Daemon(app, clock=Clock(EIGHT + 24 * HOUR + 5 * HOUR)).tick()

    assert too_late == 0
    assert len(mailbox.messages()) == 2


def test_an_empty_slot_is_decided_too(app: App) -> None:
    """A day without news is looked at once, not at every tick, and its report says why."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    clock.now = EIGHT + timedelta(days=1)
    daemon.tick()
    daemon.tick()

    runs = app.store.runs.list(slot="always/2026-11-21")
    assert len(runs) == 1
    assert runs[0].run.composed is not None
    assert "sent before" in runs[0].run.composed.reason


def test_a_source_that_is_down_decides_nothing(app: App, mailbox: Mailbox) -> None:
    """When there is no news and a source failed the slot stays open, and goes out when the source is back."""
    listing = app.config.workspace / "listing.txt"
    aside = listing.rename(listing.with_suffix(".aside"))
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    daemon.tick()
    attempts = len(app.store.runs.list())
    aside.rename(listing)
    clock.now = EIGHT + SOURCE_PATIENCE + MINUTE
    daemon.tick()

    assert attempts == 1
    assert len(mailbox.messages()) == 2


def test_a_broken_template_stops_that_issue_only(app: App, mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """An error of one slot is logged with its place, tried again after a while, and the daemon lives on."""
    theme = app.config.templates / "email" / "papers"
    theme.mkdir(parents=True)
    broken = theme / "issue.txt.j2"
    broken.write_text("{{ nothing_of_that_name }}", encoding="utf-8")
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    with caplog.at_level(logging.ERROR):
        daemon.tick()
        daemon.tick()
    failures = len(app.store.runs.list())
    broken.unlink()
    clock.now = EIGHT + PATIENCE + MINUTE
    daemon.tick()

    assert "issue.txt.j2" in caplog.text
    assert failures == 1
    assert len(mailbox.messages()) == 2


def test_a_mail_server_that_comes_back(app: App, mailbox: Mailbox, tmp_path: Path) -> None:
    """While the mail server is down everything stays queued; when it is back the same issue goes out."""
    mailbox.close()
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    queued = dict(app.store.deliveries.counts(1))
    with open_mailbox(tmp_path / "again", port=mailbox.port) as back:
        clock.now = EIGHT + PATIENCE + MINUTE
        daemon.tick()
        arrived = len(back.messages())

    assert queued == {State.QUEUED: 2}
    assert arrived == 2
    assert app.store.deliveries.counts(1) == {State.SENT: 2}


def test_readers_get_it_at_their_own_eight(tmp_path: Path, mailbox: Mailbox) -> None:
    """One issue, frozen when the first zone is due; each reader gets it when it is eight where they are."""
    for app in opened(tmp_path / "workspace", mailbox, LOCAL, readers=0):
        zones = {"tokyo": "Asia/Tokyo", "paris": "Europe/Paris", "chicago": "America/Chicago"}
        app.store.subscribers.add(
            [Applicant(email=f"{name}@example.org", timezone=zone) for name, zone in zones.items()],
            newsletter="daily-papers",
            confirmed=True,
            how="test",
            now=EIGHT - timedelta(days=1),
        )
        clock = Clock(EIGHT - timedelta(days=1))
        daemon = Daemon(app, clock=clock)
        arrived: list[tuple[str, str]] = []
        for hour in range(24, 42):
            clock.now = datetime(2026, 11, 19, tzinfo=UTC) + hour * HOUR - HOUR
            daemon.tick()
            new = mailbox.messages()[len(arrived) :]
            arrived += [(message["Delivered-To"].partition("@")[0], f"{clock.now:%d %H:%M}") for message in new]

        assert arrived == [("tokyo", "19 23:00"), ("paris", "20 07:00"), ("chicago", "20 14:00")]
        assert len(app.store.issues.list()) == 1


def test_stopping_starts_nothing(app: App, mailbox: Mailbox) -> None:
    """A daemon that was told to stop does not begin anything."""
    daemon = Daemon(app, clock=Clock(EIGHT))
    daemon.stopping.set()
    daemon.tick()

    assert mailbox.messages() == ()


# --- between issues -------------------------------------------------------------------------------------------------


@pytest.fixture
def voted(tmp_path: Path, mailbox: Mailbox, site: Site) -> Iterator[App]:
    """A newsletter whose papers are voted on, at a site of this machine."""
    plan = MORNING.replace("kind: listing", "kind: huggingface").replace(
        'path: "listing.txt"', f'url: "{site.url}", date: "2026-11-20"'
    )
    workspace = make_workspace(tmp_path / "workspace", smtp_url=mailbox.url)
    (workspace.folder / "schedules.yaml").write_text(plan, encoding="utf-8")
    settings = {**workspace.settings, "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"}
    with open_app(load_config(workspace.folder, settings)) as app:
        yield app


def votes(count: int) -> Page:
    """A day of one paper with so many votes."""
    paper = {"id": "2611.00001", "title": "T", "summary": "S", "authors": [], "upvotes": count}
    return Page(json.dumps([{"paper": paper, "numComments": 1}]).encode(), content_type="application/json")


def test_votes_are_looked_at_between_issues(voted: App, site: Site) -> None:
    """A source is looked at when its time has come, by one daemon, and every look keeps a snapshot."""
    clock = Clock(EIGHT)
    daemon, other = Daemon(voted, clock=clock), Daemon(voted, clock=clock)
    for hours, count in ((0, 3), (1, 5), (13, 9)):
        site.pages["/api/daily_papers"] = votes(count)
        clock.now = EIGHT + hours * HOUR
        daemon.look()
        other.look()

    (source,) = voted.plan.sources
    told = [signals.upvotes for _, signals in voted.store.entries.signals(source, "arxiv:2611.00001")]
    assert told == [3, 9]  # after one new entry a week the next look is twelve hours later
    assert len(site.asked) == 2


def test_while_one_daemon_collects_the_others_do_not(voted: App, site: Site) -> None:
    """The turn is the database's; one whose holder died is free again after a while."""
    site.pages["/api/daily_papers"] = votes(3)
    clock = Clock(EIGHT)
    voted.store.turns.take("collecting", until=EIGHT + HOUR, now=EIGHT)
    Daemon(voted, clock=clock).look()
    held = len(site.asked)
    clock.now = EIGHT + HOUR
    Daemon(voted, clock=clock).look()

    assert (held, len(site.asked)) == (0, 1)


def test_what_is_looked_at_is_what_some_schedule_needs(voted: App, site: Site) -> None:
    """A newsletter that is sent by hand only is collected by hand only; a source that rests is left alone."""
    site.pages["/api/daily_papers"] = Page(status=500)
    clock = Clock(EIGHT)
    daemon = Daemon(voted, clock=clock)
    daemon.look()
    clock.now += MINUTE
    daemon.look()
    unscheduled = dataclasses.replace(voted, plan=dataclasses.replace(voted.plan, schedules={}))

    assert len(site.asked) == 1
    assert unscheduled.sources_due(now=EIGHT + 24 * HOUR) == []


# --- schedules.yaml while it runs -----------------------------------------------------------------------------------


def test_a_changed_schedule_is_taken_up(app: App, mailbox: Mailbox) -> None:
    """What is saved while the daemon runs counts from the next tick on."""
    clock = Clock(EIGHT + HOUR)
    daemon = Daemon(app, clock=clock)
    path = app.config.schedules
    path.write_text(path.read_text("utf-8").replace('"08:00"', '"10:00"'), encoding="utf-8")
    daemon.tick()
    before = len(mailbox.messages())
    clock.now = EIGHT + 2 * HOUR
    daemon.tick()

    assert (before, len(mailbox.messages())) == (0, 2)


def test_a_broken_schedule_changes_nothing(app: App, mailbox: Mailbox, caplog: pytest.LogCaptureFixture) -> None:
    """Its mistakes are told once, and what was known before goes on."""
    daemon = Daemon(app, clock=Clock(EIGHT))
    app.config.schedules.write_text("newsletters: [", encoding="utf-8")
    daemon.tick()
    daemon.tick()

    told = [record.getMessage() for record in caplog.records if "has mistakes" in record.getMessage()]
    assert len(told) == 1
    assert "schedules.yaml:1" in told[0]
    assert len(mailbox.messages()) == 2


def test_a_schedule_that_is_asked_for_is_read_again(app: App, caplog: pytest.LogCaptureFixture) -> None:
    """A signal reads it whether or not it looks changed."""
    caplog.set_level(logging.INFO)
    Daemon(app, clock=Clock(EIGHT)).take_up_changes(asked=True)

    assert "took up schedules.yaml" in caplog.text


# --- windows, expiry, what was missed -------------------------------------------------------------------------------

OFFICE = MORNING.replace("catch_up: 6h", 'catch_up: 24h, window: "08:00-18:00", expires: 20h')


def test_mail_waits_for_its_window(tmp_path: Path, mailbox: Mailbox) -> None:
    """What comes too late for the day's window goes when it opens again, and the ledger says when that is."""
    for app in opened(tmp_path / "workspace", mailbox, OFFICE):
        clock = Clock(EIGHT + 11 * HOUR)
        daemon = Daemon(app, clock=clock)
        daemon.tick()
        waiting = app.store.deliveries.next_due(1)
        in_the_evening = len(mailbox.messages())
        clock.now = EIGHT + 19 * HOUR
        daemon.tick()
        at_night = len(mailbox.messages())

        assert app.store.deliveries.counts(1) == {State.EXPIRED: 2}  # 20 hours after eight is four in the morning
        assert (in_the_evening, at_night) == (0, 0)
        assert waiting is None
        assert app.store.deliveries.reasons(1, State.EXPIRED) == {TOO_LATE: 2}


def test_a_window_is_frozen_with_the_issue(tmp_path: Path, mailbox: Mailbox) -> None:
    """A change of schedules.yaml changes nothing of what is under way: neither its window nor when it expires."""
    plan = OFFICE.replace("20h", "3d")
    for app in opened(tmp_path / "workspace", mailbox, plan):
        clock = Clock(EIGHT + 11 * HOUR)
        daemon = Daemon(app, clock=clock)
        daemon.tick()
        waiting = app.store.deliveries.next_due(1)
        app.config.schedules.write_text(MORNING.replace("catch_up: 6h", "expires: 1h"), encoding="utf-8")
        clock.now = EIGHT + 12 * HOUR
        daemon.tick()
        changed = len(mailbox.messages())
        clock.now = EIGHT + 24 * HOUR
        daemon.tick()

        assert waiting == EIGHT + 24 * HOUR
        assert changed == 0
        assert len(mailbox.messages()) == 2


def test_each_reader_has_a_window_of_their_own(tmp_path: Path, mailbox: Mailbox) -> None:
    """After an outage those whose evening it is wait for their morning, the others get theirs at once."""
    plan = LOCAL.replace("catch_up: 6h", 'catch_up: 24h, window: "08:00-18:00", expires: 3d')
    for app in opened(tmp_path / "workspace", mailbox, plan, readers=0):
        zones = {"tokyo": "Asia/Tokyo", "paris": "Europe/Paris"}
        app.store.subscribers.add(
            [Applicant(email=f"{name}@example.org", timezone=zone) for name, zone in zones.items()],
            newsletter="daily-papers",
            confirmed=True,
            how="test",
            now=EIGHT - timedelta(days=1),
        )
        clock = Clock(EIGHT + 2 * HOUR)  # 19:00 in Tokyo, 11:00 in Paris
        daemon = Daemon(app, clock=clock)
        daemon.tick()
        first = [message["Delivered-To"] for message in mailbox.messages()]
        clock.now = EIGHT + 15 * HOUR
        daemon.tick()

        assert first == ["paris@example.org"]
        assert [message["Delivered-To"] for message in mailbox.messages()[1:]] == ["tokyo@example.org"]


def test_what_was_missed_has_a_report(app: App, mailbox: Mailbox) -> None:
    """Slots that nobody was there for are decided too: `runs --why` says so, and one issue follows, never several."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock, machine=clock.running).tick()
    (app.config.workspace / "listing.txt").write_text(LISTING.replace("Maps", "More maps"), encoding="utf-8")
    clock.now = EIGHT + 73 * HOUR
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    daemon.tick()

    decided = {issue.slot: (issue.state, issue.reason) for issue in app.store.issues.list()}
    assert decided == {
        "always/2026-11-20": ("published", ""),
        "always/2026-11-21": ("skipped", MISSED),
        "always/2026-11-22": ("skipped", MISSED),
        "always/2026-11-23": ("published", ""),
    }
    (report,) = app.store.runs.list(slot="always/2026-11-22")
    assert run_lines(report.run) == [f"no issue: {MISSED}"]
    assert len(mailbox.messages()) == 4


def test_who_has_just_begun_has_missed_nothing(app: App, mailbox: Mailbox) -> None:
    """The first daemon ever says nothing of the slot that could be taken up until a moment ago, and sends the next."""
    clock = Clock(EIGHT + 6 * HOUR + MINUTE)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    for _ in range(3):
        daemon.tick()
        clock.now += HOUR
    assert app.store.issues.list() == []

    clock.now = EIGHT + 24 * HOUR
    daemon.tick()

    assert [issue.slot for issue in app.store.issues.list()] == ["always/2026-11-21"]
    assert len(mailbox.messages()) == 2


# --- a clock that has gone wrong ------------------------------------------------------------------------------------


def test_a_clock_that_jumps_by_days_stops_everything(
    app: App, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is collected, published or sent until somebody confirms the clock, also by a daemon started anew."""
    clock = Clock(EIGHT - HOUR)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    clock.jump(timedelta(days=5) + HOUR)
    for each in (daemon, daemon, Daemon(app, clock=clock, machine=clock.running)):
        each.tick()
        each.look()
    stopped = (app.store.issues.list(), mailbox.messages(), app.store.sources.list())
    said = [record.getMessage() for record in caplog.records if "jumped ahead by 5 days" in record.getMessage()]
    confirm_clock(app.store, now=clock(), machine=clock.running())
    daemon.tick()

    assert stopped == ([], (), [])
    assert len(said) == 2  # once by each daemon
    assert [issue.slot for issue in app.store.issues.list() if issue.state == "published"] == ["always/2026-11-25"]
    assert len(mailbox.messages()) == 2


def test_a_clock_that_is_put_right_again(app: App, mailbox: Mailbox) -> None:
    """Nobody needs to confirm a clock that goes back to where it should be."""
    clock = Clock(EIGHT - HOUR)
    daemon = Daemon(app, clock=clock, machine=clock.running)
    daemon.tick()
    clock.jump(timedelta(days=5))
    daemon.tick()
    clock.jump(-timedelta(days=5))
    clock.now += HOUR
    daemon.tick()

    assert [issue.slot for issue in app.store.issues.list()] == ["always/2026-11-20"]
    assert len(mailbox.messages()) == 2


def test_a_clock_that_goes_back_brings_no_older_slot(tmp_path: Path, mailbox: Mailbox) -> None:
    """After an outage the newest slot is made; when the clock then goes back the one before it is not made as well."""
    for app in opened(tmp_path / "workspace", mailbox, MORNING.replace("6h", "5d")):
        clock = Clock(EIGHT + timedelta(days=3))
        daemon = Daemon(app, clock=clock, machine=clock.running)
        daemon.tick()
        clock.jump(-3 * HOUR)
        daemon.tick()

        assert [issue.slot for issue in app.store.issues.list()] == ["always/2026-11-23"]


def test_a_worker_delivers_and_does_nothing_else(app: App, mailbox: Mailbox) -> None:
    """What is due it leaves to a daemon; what one has published it sends."""
    worker = Daemon(app, clock=Clock(EIGHT), machine=Clock(EIGHT).running, plans=False)

    worker.tick()
    assert app.store.issues.list() == []

    ((slot, audience),) = app.due(now=EIGHT)
    app.collect(slot.newsletter, now=EIGHT)
    composed = app.compose(slot, now=EIGHT)
    assert composed.issue is not None
    app.publish(composed.issue, audience=audience, now=EIGHT)
    worker.tick()

    assert len(mailbox.messages()) == 2
