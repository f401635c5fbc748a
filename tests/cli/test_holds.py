"""Pausing, resuming, cancelling and retrying by hand, while other processes send."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import cli
from newsletter.model import State
from newsletter.store import Store
from tests.sinks import Sink, open_sink
from tests.test_crash import ledger
from tests.test_processes import until
from tests.workspaces import Workspace, make_workspace


@pytest.fixture
def sink() -> Iterator[Sink]:
    """A mail server that answers when its gate is open."""
    with open_sink() as opened:
        yield opened
        opened.gate.set()


@pytest.fixture
def workspace(tmp_path: Path, sink: Sink) -> Workspace:
    """Forty readers, and two connections."""
    return make_workspace(tmp_path, smtp_url=f"{sink.url}?connections=2", readers=40)


@pytest.fixture
def store(workspace: Workspace) -> Iterator[Store]:
    """Its ledger."""
    opened = ledger(workspace)
    yield opened
    opened.close()


def run(workspace: Workspace, *arguments: str, status: int = 0) -> str:
    """What a command printed, run in this process; it must end with `status`."""
    ours: dict[str, str | None] = {name: None for name in os.environ if name.startswith("NEWSLETTER_")}
    outcome = CliRunner(env=ours | {"LOGNAME": "ann"}).invoke(
        cli, ["-C", str(workspace.folder), *arguments], env=workspace.settings
    )
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == status, outcome.output
    return outcome.output


def test_paused_while_another_process_sends(workspace: Workspace, store: Store, sink: Sink) -> None:
    """The word reaches it between two messages; resumed, everybody has one, and the counts are exact throughout."""
    sink.gate.clear()
    with workspace.start("send", "daily-papers") as process:
        until(lambda: len(sink.taken) == 2, "both connections wait for a reply")
        said = run(workspace, "issues", "pause", "1", "--why", "a wrong link")
        sink.gate.set()
        process.communicate(timeout=60)
    counts = dict(store.deliveries.counts(1))

    assert process.returncode == 3
    assert "issue 1 is paused" in said
    assert counts == {State.SENT: len(sink.taken), State.QUEUED: 40 - len(sink.taken)}
    assert len(sink.taken) <= 2 * 2
    again = run(workspace, "send", "daily-papers", status=3)
    assert "by ann: a wrong link; `newsletter issues resume 1` goes on" in again
    assert "sent nothing now" in again
    assert "due" not in again
    assert "paused: An LLM" in run(workspace, "issues", "list").replace("Daily Papers: ", "")
    assert "by ann: a wrong link" in run(workspace, "issues", "show", "1")
    assert json.loads(run(workspace, "issues", "show", "1", "--json"))["hold"]["why"] == "a wrong link"
    slot = store.issues.get(1).slot
    assert "by ann: a wrong link" in run(workspace, "runs", "--why", slot)
    assert "the issue is paused" in run(workspace, "runs", "--why", slot, "--for", "reader039@example.org")
    assert "was paused" in run(workspace, "issues", "pause", "1")

    resumed = run(workspace, "issues", "resume", "1", "--why", "mended")

    assert "40 sent" in resumed
    assert set(sink.copies().values()) == {1}
    assert len(sink.copies()) == 40
    assert [event.detail for event in store.events.list(issue=1)] == ["by ann: a wrong link", "by ann: mended"]
    assert "was not paused" in run(workspace, "issues", "resume", "1")


def test_cancelled_while_another_process_sends(workspace: Workspace, store: Store, sink: Sink) -> None:
    """Everybody who had no message yet is excluded for good."""
    sink.gate.clear()
    with workspace.start("send", "daily-papers") as process:
        until(lambda: len(sink.taken) == 2, "both connections wait for a reply")
        run(workspace, "issues", "cancel", "1", "--why", "sent by mistake")
        sink.gate.set()
        process.communicate(timeout=60)

    taken = len(sink.taken)
    assert dict(store.deliveries.counts(1)) == {State.SENT: taken, State.EXCLUDED: 40 - taken}
    assert "for good" in _failure(workspace, "issues", "resume", "1")
    assert "for good" in _failure(workspace, "issues", "retry", "1", "--state", "excluded")
    assert "cancelled at" in run(workspace, "issues", "pause", "1", status=1)
    assert "cancelled at" in run(workspace, "send", "daily-papers", status=3)
    assert "0 messages" in run(workspace, "issues", "cancel", "1")
    assert f"{40 - taken} left out (" in run(workspace, "issues", "show", "1")


def _failure(workspace: Workspace, *arguments: str) -> str:
    """What a command said that could not be done."""
    outcome = CliRunner().invoke(cli, ["-C", str(workspace.folder), *arguments], env=workspace.settings)
    return str(outcome.exception)


def test_left_to_a_daemon(workspace: Workspace, store: Store, sink: Sink) -> None:
    """Resuming need not send."""
    run(workspace, "send", "daily-papers", "--to", "a@example.org")
    run(workspace, "issues", "pause", "1")
    run(workspace, "issues", "resume", "1", "--no-send")

    assert store.holds.get(1) is None
    assert len(sink.taken) == 1


def test_retrying(workspace: Workspace, store: Store, sink: Sink) -> None:
    """Counted first, then one reader's, then all; what was sent is never sent again by it."""
    run(workspace, "send", "daily-papers")
    _refuse(store, "reader001@example.org", "reader002@example.org", "reader003@example.org")

    assert "3 would be queued again" in run(workspace, "issues", "retry", "1", "--dry-run")
    assert "0 would" in run(workspace, "issues", "retry", "1", "--dry-run", "--state", "uncertain,expired")
    one = run(workspace, "issues", "retry", "1", "--for", "reader002@example.org", status=3)
    assert "1 queued again" in one
    assert "sent 1 message now" in one
    assert "2 queued again" in run(workspace, "issues", "retry", "1", "--state", "rejected, uncertain")
    assert sink.copies()["reader000@example.org"] == 1
    assert sink.copies()["reader002@example.org"] == 2
    assert dict(store.deliveries.counts(1)) == {State.SENT: 40}
    run(workspace, "issues", "retry", "1", "--state", "sent", status=2)
    run(workspace, "issues", "retry", "1", "--state", "nonsense", status=2)


def _refuse(store: Store, *emails: str) -> None:
    """As if the mail server had refused them."""
    from newsletter.store.schema import deliveries  # noqa: PLC0415

    readers = [store.subscribers.get(email) for email in emails]
    with store.db.writing() as connection:
        connection.execute(
            deliveries.update().where(deliveries.c.subscriber.in_(readers)).values(state="rejected", reason="550 no")
        )
