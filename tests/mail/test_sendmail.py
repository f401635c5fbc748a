from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError, Refused, SendError
from newsletter.mail.senders import register
from newsletter.mail.sendmail import FAILURES_IN_A_ROW, SendmailSend, open_sendmail
from newsletter.model import Verdict
from newsletter.registry import Registry
from tests.mail.posting import BODY, Ledger, a_message, post

# Keeps how it was called and what it read, then ends as it is told to.
PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > {folder}/words
cat > {folder}/read
{end}
"""


def a_program(folder: Path, end: str = "exit 0") -> Path:
    """A program that stands where sendmail would."""
    path = folder / "sendmail"
    path.write_text(PROGRAM.format(folder=folder, end=end))
    path.chmod(0o755)
    return path


def test_how_the_program_is_called(tmp_path: Path) -> None:
    """`-i -f sender -- recipient`, the message with the line ends of files, a lonely dot in it."""
    ledger = post(open_sendmail(f"sendmail://{a_program(tmp_path)}"), [a_message()])

    assert (tmp_path / "words").read_text().split() == ["-i", "-f", "papers@example.org", "--", "bob@example.net"]
    assert (tmp_path / "read").read_bytes() == BODY.replace(b"\r\n", b"\n")
    assert [outcome.verdict for outcome in ledger.outcomes] == [Verdict.SENT]
    assert ledger.events[0] == 1


def test_no_sender_is_an_empty_return_path(tmp_path: Path) -> None:
    """As notices have it."""
    post(open_sendmail(f"sendmail://{a_program(tmp_path)}"), [a_message(sender="")])

    assert (tmp_path / "words").read_text().split()[2] == "<>"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (0, Verdict.SENT),
        (1, Verdict.DEFERRED),
        (65, Verdict.REJECTED),
        (67, Verdict.SUPPRESS),
        (68, Verdict.REJECTED),
        (69, Verdict.DEFERRED),
        (70, Verdict.DEFERRED),
        (74, Verdict.DEFERRED),
        (75, Verdict.DEFERRED),
        (76, Verdict.DEFERRED),
        (126, Verdict.DEFERRED),
    ],
)
def test_what_an_exit_status_means(status: int, verdict: Verdict, tmp_path: Path) -> None:
    """As sysexits.h names them; what the program said is told, on one line."""
    program = a_program(tmp_path, f"echo one; echo two >&2; exit {status}")
    [outcome] = post(open_sendmail(f"sendmail://{program}"), [a_message()]).outcomes

    assert outcome.verdict is verdict
    assert outcome.text.startswith(f"exit status {status}")
    assert outcome.text.endswith(": one two")


@pytest.mark.parametrize("status", [64, 77, 78])
def test_what_is_about_us_stops_everything(status: int, tmp_path: Path) -> None:
    """Wrong usage, no permission, set up wrongly: no message is to blame and the next is not taken."""
    ledger, waiting = Ledger(), iter([a_message(1), a_message(2)])
    with pytest.raises(Refused, match=f"exit status {status} EX_"):
        post(open_sendmail(f"sendmail://{a_program(tmp_path, f'exit {status}')}"), waiting, ledger=ledger)

    assert [outcome.verdict for outcome in ledger.outcomes] == [Verdict.UNSENT]
    assert [message.delivery for message in waiting] == [2]


def test_failures_in_a_row_stop_everything(tmp_path: Path) -> None:
    """A program that takes nothing is left alone; a message that alone makes it fail does not stop the others."""
    failing = open_sendmail(f"sendmail://{a_program(tmp_path, 'exit 70')}")
    ledger = Ledger()
    with pytest.raises(SendError, match="none of 5 messages"):
        post(failing, (a_message(n) for n in range(9)), ledger=ledger)
    assert len(ledger.outcomes) == FAILURES_IN_A_ROW

    choosy = a_program(tmp_path, f"grep -q poison {tmp_path}/read && exit 70; exit 0")
    mixed = [a_message(n, data=BODY + (b"poison\r\n" if n % 3 else b"")) for n in range(12)]
    verdicts = [outcome.verdict for outcome in post(open_sendmail(f"sendmail://{choosy}"), mixed).outcomes]
    assert verdicts == [Verdict.DEFERRED if n % 3 else Verdict.SENT for n in range(12)]


def test_a_program_that_does_not_end_leaves_it_open(tmp_path: Path) -> None:
    """It is stopped, and whether the message went is not known. So it is when a signal ended it."""
    slow = SendmailSend(a_program(tmp_path, "exec sleep 60"), patience=0.2)
    killed = SendmailSend(a_program(tmp_path, "kill -9 $$"))

    assert [outcome.verdict for outcome in post(slow, [a_message()]).outcomes] == [Verdict.UNCERTAIN]
    assert [outcome.verdict for outcome in post(killed, [a_message()]).outcomes] == [Verdict.UNCERTAIN]


def test_a_program_that_reads_nothing(tmp_path: Path) -> None:
    """Its exit status counts, however long the message that it did not read."""
    path = tmp_path / "sendmail"
    path.write_text("#!/bin/sh\nexit 67\n")
    path.chmod(0o755)
    [outcome] = post(open_sendmail(f"sendmail://{path}"), [a_message(data=BODY * 10_000)]).outcomes

    assert outcome.verdict is Verdict.SUPPRESS


def test_a_program_that_is_gone(tmp_path: Path) -> None:
    """Nothing was sent, and nothing will be."""
    send, ledger = open_sendmail(f"sendmail://{a_program(tmp_path)}"), Ledger()
    (tmp_path / "sendmail").unlink()
    with pytest.raises(SendError, match="could not start"):
        post(send, [a_message()], ledger=ledger)

    assert [outcome.verdict for outcome in ledger.outcomes] == [Verdict.UNSENT]


OPTIONS = ["-bs", "-OQueueDirectory=/tmp@example.org", "-X/tmp/log@example.org", "--help@example.org"]


@pytest.mark.parametrize("address", [*OPTIONS, "a@b\n-bs", "a@b -bs", "", "@example.org", "a@b\0c"])
def test_no_address_is_an_option(address: str, tmp_path: Path) -> None:
    """The message is refused and the program not even started."""
    for message in (a_message(recipient=address), a_message(sender=address or "-")):
        [outcome] = post(open_sendmail(f"sendmail://{a_program(tmp_path)}"), [message]).outcomes
        assert outcome.verdict is Verdict.REJECTED
    assert not (tmp_path / "words").exists()


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(local=st.text(st.characters(codec="utf-8", min_codepoint=33), max_size=12))
def test_an_address_is_one_word_and_stays_what_it_is(local: str, tmp_path: Path) -> None:
    """Whatever it is made of, the program gets it as it is after `--`, or is not started."""
    address = f"{local}@example.org"
    (tmp_path / "words").unlink(missing_ok=True)
    [outcome] = post(open_sendmail(f"sendmail://{a_program(tmp_path)}"), [a_message(recipient=address)]).outcomes

    if outcome.verdict is Verdict.SENT:
        assert (tmp_path / "words").read_text(encoding="utf-8").split("\n")[3:] == ["--", address, ""]
    else:
        assert not (tmp_path / "words").exists()


def test_the_program_gets_none_of_our_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings stay here; the rest of the environment is its own."""
    monkeypatch.setenv("NEWSLETTER_SECRET_KEY", "hush")
    monkeypatch.setenv("MAILRC", "x")
    post(open_sendmail(f"sendmail://{a_program(tmp_path, f'env > {tmp_path}/env')}"), [a_message()])

    assert "hush" not in (tmp_path / "env").read_text()
    assert "MAILRC=x" in (tmp_path / "env").read_text()


def test_what_must_not_leave_does_not(tmp_path: Path) -> None:
    """What the ledger forbids, and anything when told to stop."""
    send, ledger = open_sendmail(f"sendmail://{a_program(tmp_path)}"), Ledger(forbidden=[1])
    post(send, [a_message(1)], ledger=ledger)
    post(send, [a_message(2)], ledger=ledger, stop=lambda: True)

    assert ledger.outcomes == []
    assert not (tmp_path / "words").exists()


@pytest.mark.parametrize("url", ["sendmail:", "sendmail://host/usr/bin/true", "sendmail:///usr/bin/true?x=y"])
def test_urls_that_name_no_program(url: str) -> None:
    """Refused when the sender is made."""
    with pytest.raises(ConfigError, match="names no program"):
        open_sendmail(url)


def test_files_that_are_no_program(tmp_path: Path) -> None:
    """What is not there, what is a folder, what may not be run."""
    (tmp_path / "file").touch(mode=0o600)
    for path in (tmp_path, tmp_path / "missing", tmp_path / "file"):
        with pytest.raises(ConfigError, match="no program that can be run"):
            open_sendmail(f"sendmail://{path}")


def test_what_it_is_called(tmp_path: Path) -> None:
    """In logs."""
    assert repr(SendmailSend(Path(sys.executable))).endswith(f"{os.path.basename(sys.executable)}>")  # noqa: PTH119


def test_it_is_registered(tmp_path: Path) -> None:
    """`sendmail://` comes through the door that plugins use."""
    registry = Registry()
    register(registry)

    assert isinstance(registry.senders["sendmail"](f"sendmail://{a_program(tmp_path)}"), SendmailSend)
