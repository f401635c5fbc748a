"""The mails in a maildir, newest first. Each is read once for the list; the folder itself is looked at every time."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path

from newsletter.web.inbox import mail
from newsletter.web.inbox.markup import plain

PAGE = 50  # mails
# Bytes of a mail that its summary is made of: the few where its text stands first, else the many.
_HEADS = (16 * 1024, 128 * 1024)
_SEARCHED = 8_000  # characters of its text
_SNIPPET = 200
_RULES = re.compile(r"([^\w\s])\1{3,}\s*")  # lines and underlines of plain text
_ATTACHED = re.compile(rb"\ncontent-disposition:\s*attachment")  # in lower case, which is ten times as fast


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a list shows of a mail."""

    id: str
    sender: str
    recipients: str
    subject: str
    snippet: str
    arrived: datetime
    size: int  # bytes
    has_attachments: bool
    words: str  # what is searched: addresses, subject and the beginning of the text, case folded


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of the mails that were looked for."""

    summaries: tuple[Summary, ...]
    page: int  # from 1 on
    pages: int
    found: int
    total: int


@dataclass(slots=True, kw_only=True)
class _File:
    """A mail in the folder. A name is given once, so what was read of it stays true."""

    id: str
    name: str  # the part of it that stays
    path: str
    arrived: int  # nanoseconds
    size: int
    summary: Summary | None = None


class Inbox:
    """The mails of one maildir; may be asked from several threads."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._files: dict[str, _File] = {}  # by the part of the name that stays
        self._newest_first: Sequence[_File] = ()
        self._lock = threading.Lock()

    def version(self) -> str:
        """Another one when mails have come or gone."""
        files = self._look()
        return f"{len(files)}-{files[0].id if files else ''}"

    def list(self, query: str = "", page: int = 1) -> Listing:
        """The mails that have every word of the query in their addresses, subject or text; all without one."""
        files = self._look()
        words = query.casefold().split()
        if words:
            found = [file for file in files if (summary := _summary(file)) and all(w in summary.words for w in words)]
        else:
            found = list(files)
        pages = max(1, -(-len(found) // PAGE))
        page = min(max(1, page), pages)
        shown = found[(page - 1) * PAGE : page * PAGE]
        summaries = tuple(summary for file in shown if (summary := _summary(file)))
        return Listing(summaries=summaries, page=page, pages=pages, found=len(found), total=len(files))

    def find(self, identifier: str) -> tuple[Summary, bytes] | None:
        """A mail and its bytes; None when it is not there (any more)."""
        for file in self._look():
            if file.id == identifier and (summary := _summary(file)):
                try:
                    return summary, Path(file.path).read_bytes()
                except OSError:
                    return None
        return None

    def beside(self, identifier: str) -> tuple[str, str]:
        """The next newer mail and the next older one; empty where there is none."""
        order = [file.id for file in self._look()]
        if identifier not in order:
            return "", ""
        at = order.index(identifier)
        return order[at - 1] if at else "", order[at + 1] if at + 1 < len(order) else ""

    def delete(self, identifier: str | None = None) -> int:
        """Remove one mail, or all that are there now; how many that were."""
        gone = [file for file in self._look() if identifier in {None, file.id}]
        for file in gone:
            Path(file.path).unlink(missing_ok=True)
        return len(gone)

    def _look(self) -> Sequence[_File]:
        with self._lock:
            there = dict(self._there())
            changed = False
            for name in self._files.keys() - there.keys():
                del self._files[name]
                changed = True
            for name, path in there.items():
                if name in self._files:
                    self._files[name].path = path  # flags may have been added to it
                elif file := _file(name, path):
                    self._files[name] = file
                    changed = True
            if changed:
                self._newest_first = sorted(self._files.values(), key=_order, reverse=True)
            return self._newest_first

    def _there(self) -> Iterator[tuple[str, str]]:
        for part in ("cur", "new"):
            try:
                entries = os.scandir(self.folder / part)
            except FileNotFoundError:
                continue
            with entries:
                for entry in entries:
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                        yield entry.name.partition(":")[0], entry.path


def _file(name: str, path: str) -> _File | None:
    """None when it is gone already."""
    try:
        status = os.stat(path)  # noqa: PTH116  # a Path for each of many thousands takes longer than the folder
    except OSError:
        return None
    identifier = blake2b(os.fsencode(name), digest_size=8).hexdigest()
    return _File(id=identifier, name=name, path=path, arrived=status.st_mtime_ns, size=status.st_size)


def _order(file: _File) -> tuple[int, tuple[int, ...], str]:
    """By time; mails of one moment as a maildir numbers its files."""
    numbers = tuple(int(digits[:30]) for digits in re.findall(r"[0-9]+", file.name))
    return file.arrived, numbers, file.name


def _summary(file: _File) -> Summary | None:
    """None when it is gone, or may not be read."""
    if file.summary is None:
        try:
            raw = Path(file.path).read_bytes()
        except OSError:
            return None
        file.summary = summarize(raw, identifier=file.id, arrived=datetime.fromtimestamp(file.arrived / 1e9, tz=UTC))
    return file.summary


def summarize(raw: bytes, *, identifier: str, arrived: datetime) -> Summary:
    """What a list shows of these bytes."""
    message = mail.parse(raw[: _HEADS[0]])
    body = mail.body(message, "text/plain")
    if not body.strip() and len(raw) > _HEADS[0]:
        message = mail.parse(raw[: _HEADS[1]])
        body = mail.body(message, "text/plain")
    headers = mail.headline(message)
    body = body if body.strip() else plain(mail.body(message, "text/html"))
    text = " ".join(body[: 2 * _SEARCHED].split())[:_SEARCHED]
    recipients = headers.get("to") or headers.get("delivered-to", "")
    searched = (headers.get("from", ""), recipients, headers.get("delivered-to", ""), headers.get("subject", ""), text)
    return Summary(
        id=identifier,
        sender=mail.names(headers.get("from", "")),
        recipients=mail.names(recipients),
        subject=headers.get("subject", ""),
        snippet=_RULES.sub("", text[: 2 * _SNIPPET])[:_SNIPPET],
        arrived=arrived,
        size=len(raw),
        has_attachments=message.is_multipart() and _ATTACHED.search(raw.lower()) is not None,
        words=" ".join(searched).casefold(),
    )
