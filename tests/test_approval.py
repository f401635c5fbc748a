"""Nothing goes out that has to be approved and is not; what is approved goes once, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import alarms, editor
from newsletter.app import App, open_app
from newsletter.by_hand import order
from newsletter.config import load_config
from newsletter.daemon import NOT_APPROVED, Daemon
from newsletter.errors import NotFound, StoreError
from newsletter.mail.mailbox import Mailbox, open_mailbox
from newsletter.report import run_lines
from newsletter.store.drafts import Draft
from newsletter.store.subscribers import Applicant
from tests.builders import HOUR, MINUTE
from tests.test_daemon import EIGHT, MORNING, Clock, opened

ASKS = MORNING.replace("    topics: [models]\n", "    topics: [models]\n    approval: required\n")
MAPS = "Maps for walkers"


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[Mailbox]:
    """A mail server that takes everything."""
    with open_mailbox(tmp_path / "mailbox", port=0) as box:
        yield box


@pytest.fixture
def app(tmp_path: Path, mailbox: Mailbox) -> Iterator[App]:
    """Two readers of a newsletter whose issues have to be approved, every day at eight, caught up until two."""
    yield from opened(tmp_path / "workspace", mailbox, ASKS)


def the_draft(app: App) -> Draft:
    """The only one there is."""
    (draft,) = app.store.drafts.list("daily-papers")
    return draft


def told(app: App) -> list[str]:
    """Everything that `runs --why` tells of the slot."""
    return [line for ended in reversed(app.store.runs.list(limit=20)) for line in run_lines(ended.run)]


def test_nothing_goes_before_it_is_approved(app: App, mailbox: Mailbox) -> None:
    """Then it goes at the next tick, once, to those who are readers at that moment."""
    clock = Clock(EIGHT)
    daemon, other = Daemon(app, clock=clock), Daemon(app, clock=clock)
    for _ in range(3):
        daemon.tick()
        other.tick()
        clock.now += MINUTE
    assert not mailbox.messages()
    assert [line for line in told(app) if "waits for approval" in line][1:] == []
    late = [Applicant(email="late@example.org")]
    app.store.subscribers.add(late, newsletter="daily-papers", confirmed=True, how="test", now=clock())

    assert editor.approve(app, the_draft(app), who="ann", now=clock())
    assert not editor.approve(app, the_draft(app), who="ben", now=clock())
    for one in (daemon, other, daemon):
        one.tick()

    assert min(str(mail["To"]) for mail in mailbox.messages()) == "late@example.org"
    assert len(mailbox.messages()) == 3
    assert app.store.drafts.list() == []


def test_an_approved_issue_goes_also_when_its_time_is_over_meanwhile(app: App, mailbox: Mailbox) -> None:
    """The daemon was away; it was approved in time."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock).tick()
    editor.approve(app, the_draft(app), who="ann", now=EIGHT + HOUR)

    clock.now = EIGHT + 9 * HOUR
    Daemon(app, clock=clock).tick()

    assert len(mailbox.messages()) == 2


def test_what_nobody_approves_in_time_is_given_up_and_says_so(app: App, mailbox: Mailbox) -> None:
    """Its stories come with the next issue."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    clock.now = EIGHT + 6 * HOUR - MINUTE
    daemon.tick()
    assert len(app.store.drafts.list()) == 1
    draft = the_draft(app)

    clock.now += 2 * MINUTE
    with pytest.raises(StoreError, match="too late"):
        editor.approve(app, draft, who="ann", now=clock())
    daemon.tick()
    daemon.tick()

    assert not mailbox.messages()
    assert told(app).count(f"no issue: {NOT_APPROVED}") == 1
    clock.now = EIGHT + timedelta(days=1)
    daemon.tick()
    again = the_draft(app).issue
    assert again is not None
    assert len(again.stories) == 2


def test_edits_are_in_the_draft_and_not_in_what_is_approved(app: App, mailbox: Mailbox) -> None:
    """One approves what one has seen: not what was changed since, and nothing changes after."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()
    seen = the_draft(app)

    editor.intro(app, "daily-papers", "Good morning.", day=EIGHT.date(), who="ann", now=clock())
    editor.hide(app, "daily-papers", MAPS, who="ann", now=clock())
    with pytest.raises(StoreError, match="look at it again"):
        editor.approve(app, seen, who="ann", now=clock())
    editor.approve(app, the_draft(app), who="ann", now=clock())
    editor.intro(app, "daily-papers", "Too late.", day=EIGHT.date(), who="ben", now=clock())
    daemon.tick()

    (first, _) = mailbox.messages()
    body = first.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Good morning." in text
    assert "Too late." not in text
    assert MAPS not in text


def test_a_draft_of_which_nothing_is_left_cannot_be_approved(app: App) -> None:
    """It says why."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock).tick()
    for story in (MAPS, "An LLM that sorts its own drawers"):
        editor.hide(app, "daily-papers", story, who="ann", now=clock())

    with pytest.raises(StoreError, match="2 hidden by the editor"):
        editor.approve(app, the_draft(app), who="ann", now=clock())


def test_a_draft_is_declined(app: App, mailbox: Mailbox) -> None:
    """Its slot is over, and who said so is on record."""
    clock = Clock(EIGHT)
    daemon = Daemon(app, clock=clock)
    daemon.tick()

    assert editor.decline(app, the_draft(app), who="ann", now=clock())
    daemon.tick()

    assert not mailbox.messages()
    assert told(app)[-1] == "no issue: declined by ann"
    with pytest.raises(NotFound):
        app.store.drafts.get("daily-papers", "always/2026-11-20")


def test_the_operator_is_told_and_told_when_it_is_over(app: App) -> None:
    """With the link to the page; a slot that waits is not late."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock).tick()

    (trouble,) = alarms.troubles(app, now=EIGHT + 2 * HOUR)
    assert trouble.name == "approval/daily-papers/always/2026-11-20"
    assert f"{app.config.base_url}/operator/daily-papers/next" in trouble.lines[0]
    editor.approve(app, the_draft(app), who="ann", now=clock())
    assert all("approval" not in trouble.name for trouble in alarms.troubles(app, now=EIGHT + MINUTE))


def test_by_hand_an_issue_waits_too_and_a_copy_does_not(app: App, mailbox: Mailbox) -> None:
    """A copy for named people is how an editor looks at an issue. One made anew goes when it is approved."""
    clock = Clock(EIGHT)
    copy = order(app, "daily-papers", day=EIGHT.date(), now=clock(), to=("ann@example.org",))
    app.run(copy.slot, audience=copy.audience, clock=clock)
    assert [mail["To"] for mail in mailbox.messages()] == ["ann@example.org"]

    anew = order(app, "daily-papers", day=EIGHT.date(), now=clock(), force=True)
    app.run(anew.slot, audience=anew.audience, clock=clock)
    app.run(anew.slot, audience=anew.audience, clock=clock)
    assert len(mailbox.messages()) == 1
    editor.approve(app, the_draft(app), who="ann", now=clock())
    ((slot, audience),) = [pair for pair in app.due(now=clock()) if pair[0].key == anew.slot.key]
    app.run(slot, audience=audience, clock=clock)

    assert len(mailbox.messages()) == 3


def test_a_newsletter_that_asks_no_more_sends_what_waits(app: App, mailbox: Mailbox) -> None:
    """As schedules.yaml says now."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock).tick()
    plan = app.config.schedules
    plan.write_text(plan.read_text("utf-8").replace("approval: required", "approval: none"), encoding="utf-8")

    Daemon(app.reloaded(), clock=clock).tick()

    assert len(mailbox.messages()) == 2
    assert app.store.drafts.list() == []


def test_a_draft_is_kept_once_and_not_for_what_is_out(app: App) -> None:
    """Whoever comes second finds the first one's."""
    clock = Clock(EIGHT)
    Daemon(app, clock=clock).tick()
    draft = the_draft(app)
    composed = app.compose(draft.slot, now=EIGHT)
    assert not app.store.drafts.add(draft.slot, composed, until=None, besides=None, now=EIGHT)
    assert the_draft(app) == draft

    editor.approve(app, draft, who="ann", now=EIGHT)
    Daemon(app, clock=clock).tick()
    assert not app.store.drafts.add(draft.slot, composed, until=None, besides=None, now=EIGHT)
    assert app.store.drafts.list() == []


def test_the_commands(tmp_path: Path, mailbox: Mailbox) -> None:
    """What waits is listed, approved by name, and a second time harmlessly."""
    from tests.workspaces import PLAN, make_workspace  # noqa: PLC0415

    workspace = make_workspace(tmp_path / "of-commands", smtp_url=mailbox.url, readers=1)
    plan = PLAN.replace("    topics: [models]\n", "    topics: [models]\n    approval: required\n")
    (workspace.folder / "schedules.yaml").write_text(plan, encoding="utf-8")

    assert "waits for approval" in workspace.call("send", "daily-papers")
    with open_app(load_config(workspace.folder, workspace.settings)) as app:
        slot = the_draft(app).slot.key
    listed = workspace.call("issues", "list")
    assert slot in listed
    assert "draft: waits for approval" in listed
    assert "approved; the daemon" in workspace.call("issues", "approve", "daily-papers", slot, "--by", "ann")
    assert "approved before" in workspace.call("issues", "approve", "daily-papers", slot)
    assert "approved by ann" in workspace.call("issues", "list")
    assert "no issue of daily-papers x waits" in workspace.call("issues", "approve", "daily-papers", "x", status=1)
    workspace.call("send", "daily-papers")
    assert len(mailbox.messages()) == 1
