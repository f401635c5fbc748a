from __future__ import annotations

import email
import email.policy
import errno
import fcntl
import mailbox
import os
import re
import resource
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from threading import Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError, SendError
from newsletter.mail.folder import FolderSend, open_folder
from newsletter.mail.senders import register
from newsletter.model import Verdict
from newsletter.registry import Registry
from tests.mail.posting import BODY, Ledger, a_message, post

FORMATS = ("maildir", "mbox")


def url(path: Path, kind: str) -> str:
    """The address of a folder of that kind."""
    return f"file://{path}?format={kind}"


def kept(path: Path, kind: str) -> list[bytes]:
    """What the standard library finds there, without the envelope, sorted."""
    with closing(mailbox.Maildir(path) if kind == "maildir" else mailbox.mbox(path)) as box:
        return sorted(bytes(message).partition(b"\nDelivered-To: ")[2].partition(b"\n")[2] for message in box)


@contextmanager
def small_disk(octets: int) -> Iterator[None]:
    """No file may grow past that: the write that does ends in an error, half done."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (octets, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("kind", FORMATS)
def test_messages_are_there_as_they_were(kind: str, tmp_path: Path) -> None:
    """With their envelope before them and the line ends of files; each is started before and reported after."""
    ledger = post(open_folder(url(tmp_path / "a" / "box", kind)), [a_message(1), a_message(2, data=BODY + b"2\r\n")])

    assert kept(tmp_path / "a" / "box", kind) == [
        BODY.replace(b"\r\n", b"\n"),
        (BODY + b"2\r\n").replace(b"\r\n", b"\n"),
    ]
    assert [outcome.verdict for outcome in ledger.outcomes] == [Verdict.SENT, Verdict.SENT]
    assert [event if isinstance(event, int) else -event.delivery for event in ledger.events] == [1, -1, 2, -2]


@pytest.mark.parametrize("kind", FORMATS)
def test_the_envelope_stands_before_the_message(kind: str, tmp_path: Path) -> None:
    """Return-Path and Delivered-To (RFC 5321 section 4.4)."""
    post(open_folder(url(tmp_path / "box", kind)), [a_message(sender="b+x@bounce.example.org")])
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    written = files[0].read_text().removeprefix("From b+x@bounce.example.org ")

    assert "Return-Path: <b+x@bounce.example.org>\nDelivered-To: bob@example.net\nFrom: papers" in written


def test_maildir_is_what_a_folder_is_without_a_word(tmp_path: Path) -> None:
    """`file:///path`; spaces in it are percent-encoded. Nobody else may look into it."""
    post(open_folder(f"file://{tmp_path}/my%20mail"), [a_message()])

    assert len(list((tmp_path / "my mail" / "new").iterdir())) == 1
    assert list((tmp_path / "my mail" / "tmp").iterdir()) == []
    assert (tmp_path / "my mail" / "new").stat().st_mode & 0o077 == 0


def test_the_same_message_again_is_one_file(tmp_path: Path) -> None:
    """What a crash made uncertain is sent a second time, and is there once."""
    send = open_folder(url(tmp_path, "maildir"))
    post(send, [a_message(1)])
    post(send, [a_message(1), a_message(2)])

    assert len(kept(tmp_path, "maildir")) == 2


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.sampled_from([b"From x", b">From x", b">>From", b"", b".", b"a"]), max_size=4), max_size=3))
def test_no_text_ends_a_message_of_an_mbox(tmp_path_factory: pytest.TempPathFactory, bodies: list[list[bytes]]) -> None:
    """Lines that begin with From are quoted, and what undoes that finds the messages as they were."""
    path = tmp_path_factory.mktemp("mbox") / "mbox"
    wanted = [b"".join(line + b"\r\n" for line in [b"Subject: x", b"", *lines]) for lines in bodies]
    post(open_folder(url(path, "mbox")), [a_message(number, data=data) for number, data in enumerate(wanted)])

    with closing(mailbox.mbox(path)) as box:
        found = [re.sub(rb"(?m)^>(>*From )", rb"\1", box.get_bytes(key)) for key in box.iterkeys()]
    assert [b"Subject" + text.partition(b"Subject")[2] for text in found] == [
        data.replace(b"\r\n", b"\n") for data in wanted
    ]


def test_what_a_power_cut_left_is_parted_from_what_follows(tmp_path: Path) -> None:
    """A message without its end does not swallow the next one."""
    path = tmp_path / "mbox"
    for torn in (b"From a Sat\nSubject: torn\n\nhal", b"From a Sat\nSubject: torn\n\nhalf\n"):
        path.write_bytes(torn)
        post(open_folder(url(path, "mbox")), [a_message()])
        with closing(mailbox.mbox(path)) as box:
            assert [message["Subject"] for message in box] == ["torn", "Papers"]


@pytest.mark.parametrize("kind", FORMATS)
def test_a_full_disk_stops_everything_and_leaves_no_half(kind: str, tmp_path: Path) -> None:
    """The message at hand was surely not kept, the next is not taken, and what was there before stays whole."""
    send, ledger = open_folder(url(tmp_path / "box", kind)), Ledger()
    post(send, [a_message(1)])
    waiting = iter([a_message(2, data=BODY + b"x\r\n" * 100_000), a_message(3)])
    with small_disk(100_000), pytest.raises(SendError, match="File too large"):
        post(send, waiting, ledger=ledger)

    assert [(outcome.delivery, outcome.verdict) for outcome in ledger.outcomes] == [(2, Verdict.UNSENT)]
    assert [message.delivery for message in waiting] == [3]
    assert kept(tmp_path / "box", kind) == [BODY.replace(b"\r\n", b"\n")]
    assert sum(path.is_file() for path in tmp_path.rglob("*")) == 1


@pytest.mark.parametrize(("kind", "lost"), [("maildir", S_ISREG), ("maildir", S_ISDIR), ("mbox", S_ISREG)])
def test_what_the_disk_does_not_have_is_not_sent(
    kind: str, lost: Callable[[int], bool], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message whose file or folder could not be flushed to the disk does not count, and is not left there."""

    def flush(descriptor: int) -> None:
        if lost(os.fstat(descriptor).st_mode):
            raise OSError(errno.EIO, "Input/output error")

    send, ledger = open_folder(url(tmp_path / "box", kind)), Ledger()
    monkeypatch.setattr(os, "fsync", flush)
    with pytest.raises(SendError, match="Input/output error"):
        post(send, [a_message()], ledger=ledger)

    assert [outcome.verdict for outcome in ledger.outcomes] == [Verdict.UNSENT]
    assert kept(tmp_path / "box", kind) == []


def test_an_mbox_that_is_locked_is_waited_for(tmp_path: Path) -> None:
    """Nothing is written while another program holds the lock."""
    send = open_folder(url(tmp_path / "box", "mbox"))
    thread = Thread(target=post, args=(send, [a_message()]))
    with (tmp_path / "box").open("r+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        thread.start()
        thread.join(0.1)
        before = (tmp_path / "box").read_bytes()
    thread.join()

    assert before == b""
    assert len(kept(tmp_path / "box", "mbox")) == 1


def test_a_folder_that_is_gone_stops_everything(tmp_path: Path) -> None:
    """The error names it."""
    send = open_folder(url(tmp_path / "box", "maildir"))
    (tmp_path / "box").rename(tmp_path / "elsewhere")

    with pytest.raises(SendError, match="No such file"):
        post(send, [a_message()])


@pytest.mark.parametrize("kind", FORMATS)
def test_several_at_once(kind: str, tmp_path: Path) -> None:
    """Processes and threads that write to one folder do not write into each other's messages."""

    def work(first: int) -> None:
        send = open_folder(url(tmp_path / "box", kind))
        post(send, [a_message(n, data=BODY + b"%05d\r\n" % n * 2000) for n in range(first, first + 5)])

    threads = [Thread(target=work, args=(first,)) for first in (0, 5, 10, 15)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert kept(tmp_path / "box", kind) == [(BODY + b"%05d\r\n" % n * 2000).replace(b"\r\n", b"\n") for n in range(20)]


@pytest.mark.parametrize("kind", FORMATS)
def test_what_must_not_leave_does_not(kind: str, tmp_path: Path) -> None:
    """Neither what the ledger forbids nor what cannot stand in an envelope; when told to stop, nothing more."""
    ledger = Ledger(forbidden=[1])
    post(open_folder(url(tmp_path / "box", kind)), [a_message(1), a_message(2, recipient="a@b\nX: y")], ledger=ledger)
    post(open_folder(url(tmp_path / "box", kind)), [a_message(3)], ledger=ledger, stop=lambda: True)

    assert [(outcome.delivery, outcome.verdict) for outcome in ledger.outcomes] == [(2, Verdict.REJECTED)]
    assert kept(tmp_path / "box", kind) == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (lambda _: "file://host/path", "names no folder"),
        (lambda _: "file://", "names no folder"),
        (lambda _: "file:relative", "names no folder"),
        (lambda _: "file:///", "names no folder"),
        (lambda _: "file:///a%00b", "names no folder"),
        (lambda path: f"file://{path}?format=mh", "format cannot be 'mh'"),
        (lambda path: f"file://{path}?fromat=mbox", "no option 'fromat'"),
        (lambda path: f"file://{path}/file/box", "Not a directory"),
        (lambda path: f"file://{path}?format=mbox", "Is a directory"),
    ],
)
def test_urls_that_name_no_folder(wrong: Callable[[Path], str], what: str, tmp_path: Path) -> None:
    """Each is refused when the sender is made, with what is wrong."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=what):
        open_folder(wrong(tmp_path))


def test_what_is_kept_is_a_mail(tmp_path: Path) -> None:
    """The standard library's reader finds no defect."""
    post(open_folder(url(tmp_path, "maildir")), [a_message()])
    parsed = email.message_from_bytes(next((tmp_path / "new").iterdir()).read_bytes(), policy=email.policy.default)

    assert parsed.defects == []
    assert parsed["Delivered-To"] == "bob@example.net"


def test_it_is_registered(tmp_path: Path) -> None:
    """`file://` comes through the door that plugins use."""
    registry = Registry()
    register(registry)

    assert isinstance(registry.senders["file"](f"file://{tmp_path}/box"), FolderSend)
