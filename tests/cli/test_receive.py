"""Leaving by mail: only the signed token counts, whoever sends it and however often."""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.config import load_config
from newsletter.incoming import asked_to_leave
from newsletter.links import Links, Purpose
from newsletter.store import open_store
from tests.workspaces import Workspace, make_workspace

LINKS = Links(base_url="https://news.example.org", keys=("test",), bounce_domain="bounces.example.org")


def token(subscriber: int = 1) -> str:
    """What a mail to one reader offers as the subject."""
    return LINKS.unsubscribe_mailto(subscriber=subscriber, newsletter="daily-papers").partition("subject=")[2]


def changed(signed: str) -> str:
    """With another letter in its MAC; not the last, of which some bits say nothing."""
    return signed[:-10] + ("A" if signed[-10] != "A" else "B") + signed[-9:]


def a_mail(subject: str, **headers: str) -> str:
    """As a mail program or a robot writes it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "somebody@example.net", "unsubscribe@bounces.example.org", subject
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("unsubscribe")
    return mail.as_string()


def events(workspace: Workspace) -> list[str]:
    """What became of the first reader."""
    store = open_store(load_config(workspace.folder, workspace.settings).database_url)
    try:
        return [event.kind for event in store.events.list(subscriber=1)]
    finally:
        store.close()


def test_who_asks_by_mail_has_left(tmp_path: Path) -> None:
    """From whatever address, answered automatically or bounced back: the token says who; again changes nothing."""
    workspace = make_workspace(tmp_path, readers=2)

    told = [
        workspace.call("receive", given=a_mail(f"Re: {token()}", Auto_Submitted="auto-replied")),
        workspace.call("receive", given=a_mail(token(), Return_Path="<>")),
    ]

    assert told == ["subscriber 1 left daily-papers\n", "subscriber 1 had left daily-papers\n"]
    assert events(workspace).count("left") == 1
    assert "nothing to do" in workspace.call("receive", given=a_mail("unsubscribe"))
    assert "nothing to do" in workspace.call("receive", given="\x00\x7f no mail at all")


@pytest.mark.parametrize(
    "subject",
    [
        "unsubscribe",
        "",
        changed(token()),
        token()[:30],
        LINKS.url(Purpose.PREFERENCES, subscriber=1, newsletter="daily-papers").rpartition("/")[2],
        "x" * 100_000,
        "=?utf-8?q?=00?=",
    ],
)
def test_nothing_else_lets_anybody_leave(subject: str) -> None:
    """No word, no token that is cut or changed, none that is for something else."""
    assert asked_to_leave(f"Subject: {subject}\r\n\r\n{token()}".encode(), LINKS) is None


def test_a_folded_subject_is_read() -> None:
    """Some programs break a long word."""
    half = len(token()) // 2
    claim = asked_to_leave(f"Subject: {token()[:half]}\r\n {token()[half:]}\r\n\r\n".encode(), LINKS)

    assert claim is not None
    assert claim.subscriber == 1
