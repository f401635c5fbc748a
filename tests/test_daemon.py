from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.daemon import PATIENCE, SOURCE_PATIENCE, Daemon
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.model import State
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, MINUTE
from tests.workspaces import PLAN, make_workspace

EIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC)  # a Friday
MORNING = PLAN.replace('at: "00:00", timezone: UTC, catch_up: 24h', 'at: "08:00", timezone: UTC, catch_up: 6h')
LOCAL = PLAN.replace('at: "00:00", timezone: UTC, catch_up: 24h', 'at: "08:00", timezone: subscriber, catch_up: 6h')


class Clock:
    """Runs a microsecond each time it is asked, as a real one does; moved by hand."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """The time that was set, and a little more."""
        self.now += timedelta(microseconds=1)
        return self.now


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
