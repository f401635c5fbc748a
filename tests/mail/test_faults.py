from __future__ import annotations

import smtplib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.mail.faults import CUT, DATA, PHASES, RCPT, STALL, Fault, Faults, parse_fault
from newsletter.mail.mailbox import Mailbox, open_mailbox

MESSAGE = b"Subject: x\r\n\r\nx\r\n"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("421@10%", Fault(what="421 4.3.2 try again later", percent=Decimal(10))),
        ("rcpt:550@0.5%", Fault(what="550 5.1.1 no such user", phase=RCPT, percent=Decimal("0.5"))),
        ("rcpt:550@bad*@example.org", Fault(what="550 5.1.1 no such user", phase=RCPT, to="bad*@example.org")),
        ("550 5.7.1 ask abuse@example.org@5%", Fault(what="550 5.7.1 ask abuse@example.org", percent=Decimal(5))),
        ("connect:554 go away@100%", Fault(what="554 go away", phase="connect", percent=Decimal(100))),
        ("cut@2%", Fault(what=CUT, percent=Decimal(2))),
        ("stall@*@example.org", Fault(what=STALL, to="*@example.org")),
        ("471@1%", Fault(what="471 4.0.0 fault on purpose", percent=Decimal(1))),
    ],
)
def test_faults_are_read(text: str, fault: Fault) -> None:
    """A phase, what goes wrong, and how often or for whom; a code alone gets its usual words."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("421", "does not say how often or for whom: write 421@10%"),
        ("421@often", "does not say how often"),
        ("rctp:550@5%", "there is no phase 'rctp': .*did you mean rcpt"),
        ("250@5%", "'250' is no failure"),
        ("@5%", "'' is no failure"),
        ("cat@5%", "'cat' is no failure"),
        ("421@0%", "not above 0 %"),
        ("421@101%", "at most 100 %"),
        ("550 4.1.1 no@5%", "4.1.1 contradicts 550"),
        ("connect:421@a@example.org", "no recipient is known at connect"),
        ("mail:421@a@example.org", "no recipient is known at mail"),
        ("550 gr\u00fc\u00df@5%", "printable ASCII"),
        ("550 a\tb@5%", "printable ASCII"),
        (f"550 {'x' * 400}@5%", "at most 400"),
    ],
)
def test_what_is_no_fault_is_told(text: str, complaint: str) -> None:
    """Every mistake says what is wrong and how it is written."""
    with pytest.raises(ValueError, match=complaint):
        parse_fault(text)


@given(st.text())
def test_any_text_is_a_fault_or_a_mistake(text: str) -> None:
    """Nothing but ValueError comes of reading; a fault that was read is written so that it is read again."""
    try:
        fault = parse_fault(text)
    except ValueError:
        return
    assert parse_fault(str(fault)) == fault


@given(
    what=st.sampled_from([CUT, STALL, "421", "550 5.1.1 x@y", "452 full"]),
    phase=st.sampled_from([f"{phase}:" for phase in PHASES] + [""]),
    percent=st.decimals(min_value="0.001", max_value=100, places=3),
)
def test_faults_are_written_as_they_are_read(what: str, phase: str, percent: Decimal) -> None:
    """Writing and reading a fault gives the same one."""
    fault = parse_fault(f"{phase}{what}@{percent}%")

    assert parse_fault(str(fault)) == fault


@given(seed=st.integers(), order=st.permutations(range(30)))
def test_the_order_of_connections_decides_nothing(seed: int, order: list[int]) -> None:
    """With one seed the same recipients are hit, whatever comes first."""

    def hit(numbers: list[int]) -> set[int]:
        faults = Faults([parse_fault("rcpt:450@50%")], seed=seed)
        return {number for number in numbers if faults.hit(RCPT, [f"r{number}@example.org"])}

    assert hit(order) == hit(list(range(30)))


def test_about_as_many_are_hit_as_was_said() -> None:
    """Ten percent of 5,000 are 500, more or less; another try of the same ones is drawn anew."""
    faults = Faults([parse_fault("rcpt:450@10%")], seed=7)
    readers = [f"reader{number}@example.org" for number in range(5_000)]
    first = {reader for reader in readers if faults.hit(RCPT, [reader])}
    second = {reader for reader in readers if faults.hit(RCPT, [reader])}

    assert 420 < len(first) < 580
    assert first != second
    assert faults.hits == Counter({faults.faults[0]: len(first) + len(second)})


def test_another_seed_hits_others() -> None:
    """The seed is what is drawn from."""
    hits = [
        {n for n in range(100) if Faults([parse_fault("421@50%")], seed=seed).hit(DATA, [f"{n}@example.org"])}
        for seed in (1, 2)
    ]

    assert hits[0] != hits[1]


def test_the_first_rule_counts() -> None:
    """Rules for some addresses stand before one for all."""
    faults = Faults([parse_fault("rcpt:550@BAD*@example.org"), parse_fault("rcpt:450@100%")])

    assert faults.hit(RCPT, ["Bad1@Example.org"]) == "550 5.1.1 no such user"
    assert faults.hit(RCPT, ["good@example.org"]) == "450 4.2.0 mailbox busy, try again later"
    assert faults.hit(DATA, ["bad1@example.org"]) is None


def test_stars_are_the_only_magic() -> None:
    """A bracket in a pattern is a bracket."""
    faults = Faults([parse_fault("rcpt:550@[ab]@example.org")])

    assert faults.hit(RCPT, ["a@example.org"]) is None
    assert faults.hit(RCPT, ["[ab]@example.org"])


def client(box: Mailbox, *, timeout: float = 10) -> smtplib.SMTP:
    """A connection to it."""
    return smtplib.SMTP(box.host, box.port, local_hostname="x", timeout=timeout)


def faulty(folder: Path, *texts: str) -> Mailbox:
    """A mailbox with these faults."""
    return open_mailbox(folder / "mail", port=0, faults=Faults([parse_fault(text) for text in texts]))


def test_recipients_and_messages_are_refused(tmp_path: Path) -> None:
    """A refused recipient does not keep others from their mail; a refused message is not kept."""
    faults = ("rcpt:550 5.1.1 who?@bad*@example.org", "data:452@full@example.org")
    with faulty(tmp_path, *faults) as box, client(box) as smtp:
        refused = smtp.sendmail("a@example.org", ["bad1@example.org", "good@example.org"], MESSAGE)
        with pytest.raises(smtplib.SMTPDataError, match="out of storage"):
            smtp.sendmail("a@example.org", ["full@example.org"], MESSAGE)

    assert refused == {"bad1@example.org": (550, b"5.1.1 who?")}
    assert [message.get_all("Delivered-To") for message in box.messages()] == [["good@example.org"]]
    assert sum(box.faults.hits.values()) == 2


def test_421_ends_the_connection(tmp_path: Path) -> None:
    """As a server does that says it is closing."""
    with faulty(tmp_path, "mail:421@100%") as box:
        smtp = client(box)
        smtp.ehlo()

        assert smtp.docmd("MAIL", "FROM:<a@example.org>") == (421, b"4.3.2 try again later")
        with pytest.raises(smtplib.SMTPServerDisconnected):
            smtp.docmd("NOOP")


@pytest.mark.parametrize(("fault", "code"), [("connect:421@100%", 421), ("connect:554@100%", 554)])
def test_a_greeting_may_refuse(tmp_path: Path, fault: str, code: int) -> None:
    """The connection ends after a greeting that is none."""
    with faulty(tmp_path, fault) as box, pytest.raises(smtplib.SMTPConnectError) as caught:
        client(box)

    assert caught.value.smtp_code == code


def test_a_cut_after_the_dot_leaves_the_sender_in_doubt(tmp_path: Path) -> None:
    """The message is kept and the connection gone: to send it again would double it."""
    with faulty(tmp_path, "cut@100%") as box, pytest.raises(smtplib.SMTPServerDisconnected):
        client(box).sendmail("a@example.org", ["b@example.org"], MESSAGE)

    assert len(box.messages()) == 1


@pytest.mark.parametrize("phase", ["connect", "mail", "rcpt"])
def test_a_connection_is_cut_anywhere(tmp_path: Path, phase: str) -> None:
    """Nothing is kept of a message whose envelope was cut off."""
    gone = pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError))
    with faulty(tmp_path, f"{phase}:cut@100%") as box, gone:
        client(box).sendmail("a@example.org", ["b@example.org"], MESSAGE)

    assert box.messages() == ()


def test_a_stall_gives_no_reply_and_does_not_keep_the_mailbox_open(tmp_path: Path) -> None:
    """The message is kept; the sender waits until it gives up, the mailbox closes anyway."""
    with faulty(tmp_path, "stall@100%") as box:
        smtp = client(box)
        smtp.ehlo()
        smtp.mail("a@example.org")
        smtp.rcpt("b@example.org")
        smtp.docmd("DATA")
        assert smtp.sock is not None
        smtp.send(MESSAGE + b".\r\nNOOP\r\n")
        other = client(box)  # an answer to a later command of another connection: the stalled one had its chance
        assert other.noop()[0] == 250
        smtp.sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            smtp.sock.recv(100)

    assert smtp.sock.fileno() > 0
    smtp.close()
    other.close()
