"""Messages into a folder instead of to a mail server: `file:///srv/mail` (a maildir), `file:///srv/mail?format=mbox`.

For a try without any mail, for another program that sends, and for the archive. A message counts as sent when the disk
has it. Each begins with the envelope: Return-Path and Delivered-To; line ends are LF, as files have them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import parse_qsl, unquote, urlsplit

from newsletter.errors import ConfigError, Problem, SendError
from newsletter.mail import Record
from newsletter.mail.headers import envelope_address
from newsletter.model import Message, Outcome, Verdict

EXAMPLE = "for instance file:///srv/mail or file:///srv/mail.mbox?format=mbox"
_FROM = re.compile(rb"^(>*From )", re.MULTILINE)


class Box(Protocol):
    """A kind of mail folder."""

    def add(self, message: Message) -> str:
        """Keep a message; when this returns what it is called, the disk has it. OSError: it is not there."""
        ...


class Maildir:
    """One file for each message (https://cr.yp.to/proto/maildir.html), named after its bytes.

    A message that is sent a second time after a crash, the same as before, is therefore there once.
    """

    def __init__(self, folder: Path) -> None:
        for part in ("tmp", "new", "cur"):
            (folder / part).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder

    def add(self, message: Message) -> str:
        """Write to tmp, then move to new."""
        octets = _with_envelope(message)
        name = f"{message.delivery}.{hashlib.sha256(octets).hexdigest()[:32]}.newsletter"
        draft, final = self._folder / "tmp" / f"{name}.{os.getpid()}", self._folder / "new" / name
        try:
            with draft.open("wb") as file:
                file.write(octets)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(final)
            _folder_to_disk(final.parent)
        except OSError:
            draft.unlink(missing_ok=True)
            final.unlink(missing_ok=True)
            raise
        return name


class Mbox:
    """All messages in one file (RFC 4155, the variant that undoes its quoting: mboxrd)."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_WRONLY | os.O_CREAT, 0o600))
        _folder_to_disk(file.parent)
        self._file = file

    def add(self, message: Message) -> str:
        """Append, alone; what could be written in part only is taken back."""
        separator = f"From {message.sender or 'MAILER-DAEMON'} {time.asctime(time.gmtime())}\n".encode()
        entry = separator + _FROM.sub(rb">\1", _with_envelope(message))
        with _locked(self._file) as descriptor:
            size = os.fstat(descriptor).st_size
            try:
                _write(descriptor, _gap(descriptor, size) + entry + (b"\n" if entry.endswith(b"\n") else b"\n\n"))
                os.fsync(descriptor)
            except OSError:
                os.ftruncate(descriptor, size)
                raise
        return f"{self._file.name}, byte {size}"


class FolderSend:
    """Implements `newsletter.mail.Send` on a folder, one message after another."""

    def __init__(self, box: Box, path: Path) -> None:
        self._box = box
        self._path = path

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._path}>"

    def __call__(self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        """Keep messages until they end or `stop()`; see `newsletter.mail.Send`.

        A disk that is full, or a folder that may not be written to, is a SendError: the next message would fare no
        better.
        """
        waiting = iter(messages)
        while not stop() and (message := next(waiting, None)) is not None:
            if message.delivery in record([], [message.delivery]):
                continue
            try:
                outcome = self._kept(message)
            except OSError as error:
                why = f"could not write to {self._path}: {error.strerror}"
                record([Outcome(delivery=message.delivery, verdict=Verdict.UNSENT, text=why)], [])
                raise SendError(why) from error
            record([outcome], [])

    def _kept(self, message: Message) -> Outcome:
        try:
            for address in filter(None, (message.sender, message.recipient)):
                envelope_address(address)  # it goes into headers here
        except ValueError as error:
            return Outcome(delivery=message.delivery, verdict=Verdict.REJECTED, text=str(error))
        return Outcome(delivery=message.delivery, verdict=Verdict.SENT, text=f"kept as {self._box.add(message)}")


def open_folder(url: str) -> FolderSend:
    """The sender for `file:///path`, a maildir, or `file:///path?format=mbox`; both are made where they are not.

    ConfigError for a URL that names no absolute path or another format, and for a place that cannot be written to.
    """
    parts = urlsplit(url)
    path = Path(unquote(parts.path))
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    kind = options.pop("format", "maildir")
    problems = []
    if parts.netloc or not path.is_absolute() or path == Path("/") or "\0" in str(path) or parts.fragment:
        problems.append("names no folder on this machine: three slashes, then its path")
    if kind not in {"maildir", "mbox"}:
        problems.append(f"format cannot be {kind!r}: choose from maildir, mbox")
    problems.extend(f"has no option {name!r}: format is the only one" for name in options)
    if not problems:
        try:
            return FolderSend(Maildir(path) if kind == "maildir" else Mbox(path), path)
        except OSError as error:
            problems.append(f"cannot keep messages in {path}: {error.strerror}")
    raise ConfigError(Problem(key="NEWSLETTER_SMTP_URL", what=what, hint=EXAMPLE) for what in problems)


def _with_envelope(message: Message) -> bytes:
    envelope = f"Return-Path: <{message.sender}>\nDelivered-To: {message.recipient}\n".encode()
    return envelope + message.data.replace(b"\r\n", b"\n")


@contextmanager
def _locked(file: Path) -> Iterator[int]:
    """The file, open for appending, and nobody else's while this lasts: neither another process's nor thread's."""
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        fcntl.lockf(descriptor, fcntl.LOCK_EX)  # what most mail programs look for
        yield descriptor
    finally:
        os.close(descriptor)


def _gap(descriptor: int, size: int) -> bytes:
    """What parts a message from one that a power cut left without its end."""
    end = os.pread(descriptor, 2, max(size - 2, 0))
    return b"" if end in {b"", b"\n\n"} else b"\n" if end.endswith(b"\n") else b"\n\n"


def _write(descriptor: int, octets: bytes) -> None:
    view = memoryview(octets)
    while view:
        view = view[os.write(descriptor, view) :]


def _folder_to_disk(folder: Path) -> None:
    """A new name lasts only when the folder's own entry is on the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
