"""A mail server that fails as told: what it does at each step is data.

FaultServer({"rcpt": "452 4.2.2 full"}, {})      the first connection refuses RCPT, all later ones work
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import NoReturn, Self

CUT = "cut"  # close the connection instead of answering
CUT_HERE = "\0cut"  # the end of an action: say what stands before it, without its line end, then close in good order
STALL = "stall"  # never answer
PAUSE = "pause"  # go on when told by `resume`; at "body" only

Script = Mapping[str, str]
"""Step to what is done: a whole reply, CUT, STALL, PAUSE. "body" is before the message is read, "dot" after it,
"answer" what follows a challenge of AUTH, "handshake" what follows STARTTLS: any action there takes its place."""

GOOD = {
    "greeting": "220 fault.example.org ESMTP",
    "ehlo": "250-fault.example.org\r\n250-8BITMIME\r\n250 SMTPUTF8",
    "starttls": "220 go on",
    "auth": "235 2.7.0 welcome",
    "answer": "235 2.7.0 welcome",
    "data": "354 go on",
    "dot": "250 2.0.0 taken",
    "quit": "221 bye",
}


class FaultServer:
    """Listens on a port of its own; connection n follows script n, or the last one where there are fewer.

    `tls` is what STARTTLS is answered with, or the first byte where it is `implicit`.
    `commands` are all command lines, `bodies` the messages as they came on the wire without the final dot, `taken`
    the recipients whose message was complete.
    """

    def __init__(
        self,
        *scripts: Script,
        tls: ssl.SSLContext | None = None,
        implicit: bool = False,
        at: tuple[str, int] = ("127.0.0.1", 0),
    ) -> None:
        self._tls = tls
        self._implicit = implicit
        self._scripts = scripts or ({},)
        self.commands: list[str] = []
        self.bodies: list[bytes] = []
        self.taken: list[str] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._stop_reader, self._stop_writer = socket.socketpair()
        self._resume_reader, self._resume_writer = socket.socketpair()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 262_144)
        self._listener.bind(at)
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def url(self, options: str = "", *, scheme: str = "smtp") -> str:
        """Its SMTP_URL."""
        return f"{scheme}://127.0.0.1:{self.port}{options}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop_writer.close()
        for thread in self._threads:
            thread.join()
        for end in (self._listener, self._stop_reader, self._resume_reader, self._resume_writer):
            end.close()

    def resume(self) -> None:
        """Let a conversation go on that paused."""
        self._resume_writer.send(b".")

    def _accept(self) -> None:
        while self._readable(self._listener):
            connection, _ = self._listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # small answers wait for nothing
            script = self._scripts[min(self.connections, len(self._scripts) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._converse, args=(connection, script))
            self._threads.append(thread)
            thread.start()

    def _converse(self, connection: socket.socket, script: Script) -> None:
        conversation = _Conversation(self, connection, script)
        try:
            with contextlib.suppress(OSError, _Over):
                conversation.run()
        finally:
            conversation.close()

    def _readable(self, readable: socket.socket) -> bool:
        """Wait until there is something to read; False when the server is to end."""
        if isinstance(readable, ssl.SSLSocket) and readable.pending():
            return True
        ready, _, _ = select.select([readable, self._stop_reader], [], [])
        return self._stop_reader not in ready


class _Over(Exception):
    """The conversation ends here."""


class _Conversation:
    def __init__(self, server: FaultServer, connection: socket.socket, script: Script) -> None:
        self._server = server
        self._connection = connection
        self._script = script
        self._buffer = bytearray()
        self._address = ""
        self._named = False  # whether sender and recipient were both accepted

    def close(self) -> None:
        self._connection.close()

    def run(self) -> None:
        if self._server._implicit:
            self._encrypt()
        self._act("greeting")
        while line := self._line():
            step = line.split()[0].lower().replace("lhlo", "ehlo")
            self._address = line.partition("<")[2].partition(">")[0] or self._address
            said = self._act(step)
            if step != "bdat":
                self._named = said.startswith("2") and (self._named or step in {"mail", "rset"})
            if said.startswith("354"):
                self._take_message()
            if step == "bdat" and said == "":
                self._take_chunk(int(line.split()[1]))
            if step == "starttls" and said == GOOD["starttls"]:
                self._encrypt()
                self._buffer.clear()
            while step == "auth" and said.startswith("334"):
                said = self._act("answer", about=self._line())
            if step == "quit":
                raise _Over

    def _line(self) -> str:
        line = self._until(b"\r\n").decode()
        with self._server._lock:
            self._server.commands.append(line)
        return line

    def _encrypt(self) -> None:
        if self._server._tls is None or "handshake" in self._script:
            self._act("handshake")
        else:
            self._connection = self._server._tls.wrap_socket(self._connection, server_side=True)

    def _take_chunk(self, size: int) -> None:
        """Read so many octets, whatever was said of them before; the reply comes when they are there."""
        if "body" in self._script:
            self._act("body")
            self._stall()
        body = self._exactly(size)
        if not self._named:
            self._say("503 5.5.1 need MAIL and RCPT")
            return
        self._keep(body)
        self._act("dot")

    def _keep(self, body: bytes) -> None:
        with self._server._lock:
            self._server.bodies.append(body)
            self._server.taken.append(self._address)

    def _take_message(self) -> None:
        if self._script.get("body") == PAUSE:
            if not self._server._readable(self._server._resume_reader):
                raise _Over
        elif "body" in self._script:
            self._act("body")
            self._stall()  # whatever comes now is not read
        self._buffer[:0] = b"\r\n"  # a lone dot ends a message that has nothing before it, too
        body = (self._until(b"\r\n.\r\n") + b"\r\n")[2:]
        self._keep(body)
        self._act("dot")

    def _act(self, step: str, *, about: str = "") -> str:
        """Do what the script says here, or here with the last address that was named: `rcpt b@example.org`."""
        good = GOOD.get(step, "250 ok") if self._named or step != "data" else "554 5.5.1 no valid recipients"
        good = "" if step == "bdat" else good
        action = self._script.get(f"{step} {about or self._address}") or self._script.get(step) or good
        if action == CUT:
            raise _Over
        if action == STALL:
            self._stall()
        if action.endswith(CUT_HERE):
            self._connection.sendall(action.removesuffix(CUT_HERE).encode())
            self._hang_up()
        self._say(action)
        return action

    def _say(self, reply: str) -> None:
        if reply:
            self._connection.sendall(reply.encode() + b"\r\n")

    def _hang_up(self) -> NoReturn:
        """Say no more, and read on: closing with octets unread would take back what was said (RFC 1122, 4.2.2.13)."""
        self._connection.shutdown(socket.SHUT_WR)
        while self._server._readable(self._connection) and self._connection.recv(262_144):
            pass
        raise _Over

    def _stall(self) -> NoReturn:
        select.select([self._server._stop_reader], [], [])
        raise _Over

    def _until(self, end: bytes) -> bytes:
        searched = 0
        while (found := self._buffer.find(end, searched)) < 0:
            searched = max(0, len(self._buffer) - len(end))
            self._read_on()
        taken = bytes(self._buffer[:found])
        del self._buffer[: found + len(end)]
        return taken

    def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._read_on()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def _read_on(self) -> None:
        if not self._server._readable(self._connection):
            raise _Over
        data = self._connection.recv(262_144)
        if not data:
            raise _Over
        self._buffer += data
