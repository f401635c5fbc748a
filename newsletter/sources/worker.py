"""Reading where it may be killed: one child process reads document after document, and a bad one costs the child only.

    Reader --request (pickle: our own data, to the child only)--> child: kind.read --reply (JSON)--> Reader

Frames are a length of eight bytes and that many more, over a pair of sockets. Nothing that comes from the child is
unpickled: whoever might take it over by a document can say no more than JSON can. It gets none of our environment,
where passwords stand.
"""

from __future__ import annotations

import json
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from newsletter.codec import decode, encode
from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Kind, Response

DEADLINE = 10.0  # seconds for one document; the slowest of 200 real ones took 1.1
MEMORY = 1 << 30  # bytes of address space
_START = 60.0  # seconds until the child has imported what it needs, on a machine that is busy
_LARGEST = 1 << 28  # bytes of one reply: no document of 15 MB gives as much
_LENGTH = struct.Struct("!Q")


@dataclass
class Reader:
    """Reads answers in a child process. Not for use by several threads at once."""

    kinds: Mapping[str, Kind]
    deadline: float = DEADLINE
    memory: int = MEMORY
    _child: _Child | None = None

    def read(self, kind: str, response: Response, source: Source, *, now: datetime) -> Sequence[Entry]:
        """What `kind.read` gives for the answer. ReadError also for what hangs, kills or outgrows the child."""
        plain = replace(source, options=dict(source.options))
        task = pickle.dumps((self.kinds[kind], response, plain, now))
        child = self._child = self._child or _Child.start(self.memory)
        try:
            reply = json.loads(child.ask(task, deadline=self.deadline))
        except TimeoutError:
            self.close()
            raise ReadError(f"reading it took more than {self.deadline:g} seconds") from None
        except (ConnectionError, EOFError):
            self._child = None
            raise ReadError(f"reading it broke the process that did: {child.end()}") from None
        if reply["exhausted"]:
            self.close()
            raise ReadError(f"reading it took more than {self.memory >> 20} MB of memory")
        if reply["error"]:
            raise ReadError(reply["error"])
        return decode(tuple[Entry, ...], reply["entries"])

    def close(self) -> None:
        """End the child, if there is one; the next answer starts another."""
        if self._child:
            self._child.end()
            self._child = None


@contextmanager
def open_reader(kinds: Mapping[str, Kind], *, deadline: float = DEADLINE, memory: int = MEMORY) -> Iterator[Reader]:
    """A reader for these kinds whose child ends with the block; `deadline` in seconds, `memory` in bytes."""
    reader = Reader(kinds, deadline=deadline, memory=memory)
    try:
        yield reader
    finally:
        reader.close()


@dataclass
class _Child:
    process: subprocess.Popen[bytes]
    link: socket.socket

    @classmethod
    def start(cls, memory: int) -> _Child:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"}
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "newsletter.sources.worker", str(theirs.fileno()), str(memory)],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        child = cls(process, ours)
        try:
            _receive(ours, until=time.monotonic() + _START)
        except (OSError, EOFError) as error:
            raise RuntimeError(f"the reading process does not start: {child.end()}") from error
        return child

    def ask(self, task: bytes, *, deadline: float) -> bytes:
        """The reply to a task. TimeoutError, ConnectionError or EOFError when none comes."""
        until = time.monotonic() + deadline
        self.link.settimeout(deadline)
        self.link.sendall(_LENGTH.pack(len(task)) + task)
        return _receive(self.link, until=until)

    def end(self) -> str:
        """Kill the process unless it has ended, and say how it ended."""
        self.link.close()
        try:
            self.process.wait(0.2)  # one that lost its other end leaves by itself
        except subprocess.TimeoutExpired:
            self.process.kill()
        status = self.process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"


def _receive(link: socket.socket, *, until: float = 0.0) -> bytes:
    """One frame. TimeoutError when it is not there `until` then (monotonic; 0: wait), EOFError at the end."""
    (length,) = _LENGTH.unpack(_exactly(link, _LENGTH.size, until))
    if length > _LARGEST:
        raise EOFError("a frame larger than any document gives")
    return _exactly(link, length, until)


def _exactly(link: socket.socket, size: int, until: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        if until:
            link.settimeout(max(until - time.monotonic(), 0.001))
        piece = link.recv(min(size - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


def _serve(link: socket.socket) -> None:
    """Answer task after task, until the other end closes or memory has run out."""
    _send(link, b"ready")
    while True:
        try:
            task = _receive(link)
        except EOFError:
            return
        reply = _reply(task)
        _send(link, json.dumps(reply).encode())
        if reply["exhausted"]:
            return


def _reply(task: bytes) -> dict[str, object]:
    try:
        kind, response, source, now = pickle.loads(task)  # noqa: S301 - from the process that started this one
        entries = encode(tuple(kind.read(response, source, now=now)))
    except ReadError as error:
        return {"exhausted": False, "error": str(error) or "it cannot be read", "entries": ""}
    except MemoryError:
        return {"exhausted": True, "error": "", "entries": ""}
    return {"exhausted": False, "error": "", "entries": entries}


def _send(link: socket.socket, data: bytes) -> None:
    link.sendall(_LENGTH.pack(len(data)) + data)


def _main(descriptor: str, memory: str) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (int(memory), int(memory)))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle, who closes the link
    with socket.socket(fileno=int(descriptor)) as link:
        _serve(link)


if __name__ == "__main__":
    _main(*sys.argv[1:])
