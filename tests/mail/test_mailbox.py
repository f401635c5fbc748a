from __future__ import annotations

import smtplib
from pathlib import Path

import pytest

from newsletter.errors import SendError
from newsletter.mail.mailbox import open_mailbox


def test_messages_are_kept_with_their_envelopes(tmp_path: Path) -> None:
    """Messages come back oldest first, the envelope in Return-Path and Delivered-To, also after closing."""
    with open_mailbox(tmp_path / "mail", port=0) as box, smtplib.SMTP(box.host, box.port, local_hostname="x") as client:
        for number in range(12):
            client.sendmail(
                "papers@example.org", ["ann@example.org", "bob@example.org"], f"Subject: {number}\r\n\r\nx\r\n"
            )
        assert len(box.messages()) == 12

    assert [mail["Subject"] for mail in box.messages()] == [str(number) for number in range(12)]
    assert box.messages()[0]["Return-Path"] == "<papers@example.org>"
    assert box.messages()[0].get_all("Delivered-To") == ["ann@example.org", "bob@example.org"]


def test_international_addresses_are_taken(tmp_path: Path) -> None:
    """The mailbox speaks SMTPUTF8."""
    with open_mailbox(tmp_path / "mail", port=0) as box, smtplib.SMTP(box.host, box.port, local_hostname="x") as client:
        client.sendmail(
            "a@example.org", ["ä@example.org"], b"a: b\r\n\r\nx\r\n", mail_options=["SMTPUTF8", "BODY=8BITMIME"]
        )

    assert str(box.messages()[0]["Delivered-To"]) == "ä@example.org"


def test_what_was_kept_stays(tmp_path: Path) -> None:
    """Opening a folder again finds the messages in it."""
    for number in range(2):
        with (
            open_mailbox(tmp_path / "mail", port=0) as box,
            smtplib.SMTP(box.host, box.port, local_hostname="x") as client,
        ):
            client.sendmail("a@example.org", ["b@example.org"], f"Subject: {number}\r\n\r\nx\r\n")

    assert len(box.messages()) == 2


def test_a_full_disk_is_told_to_the_sender(tmp_path: Path) -> None:
    """A message that cannot be kept is refused for now."""
    with open_mailbox(tmp_path / "mail", port=0) as box, smtplib.SMTP(box.host, box.port, local_hostname="x") as client:
        (box.folder / "tmp").rmdir()
        with pytest.raises(smtplib.SMTPDataError) as caught:
            client.sendmail("a@example.org", ["b@example.org"], "a: b\r\n\r\nx\r\n")

    assert caught.value.smtp_code == 452


def test_a_taken_port_is_told_clearly(tmp_path: Path) -> None:
    """Two mailboxes cannot listen on one port."""
    with (
        open_mailbox(tmp_path / "one", port=0) as box,
        pytest.raises(SendError, match=rf"could not open the mailbox on 127.0.0.1:{box.port}: .*in use"),
    ):
        open_mailbox(tmp_path / "two", port=box.port)


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    """A mailbox may be closed by hand and by its `with` statement."""
    with open_mailbox(tmp_path / "mail", port=0) as box:
        box.close()
