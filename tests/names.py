"""A name server of the test's own, over UDP on the loopback interface."""

from __future__ import annotations

import select
import socket
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

SILENT = "silent"  # no answer at all
BROKEN = "broken"  # SERVFAIL

Records = Mapping[str, Mapping[str, Sequence[str]] | str]
"""Name to its records by kind, `{"example.org": {"MX": ["10 mx.example.org."]}}`; or SILENT, or BROKEN."""


@dataclass
class Names:
    """A server that answers from `records`, with this time to live; `asked` counts the questions."""

    records: Records
    ttl: int = 300
    host: str = "127.0.0.1"
    port: int = 0
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answer(self, wire: bytes) -> bytes | None:
        """The answer to a question; a CNAME's target is told with it, as resolvers do."""
        query = dns.message.from_wire(wire)
        (question,) = query.question
        kind = question.rdtype.name
        name = question.name.to_text().rstrip(".").lower()
        self.asked[name, kind] += 1
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        for _ in range(8):
            known = self.records.get(name)
            if known == SILENT:
                return None
            if known is None or isinstance(known, str):
                response.set_rcode(dns.rcode.NXDOMAIN if known is None else dns.rcode.SERVFAIL)
                break
            found = "CNAME" if "CNAME" in known else kind
            if found in known:
                response.answer.append(dns.rrset.from_text_list(f"{name}.", self.ttl, "IN", found, known[found]))
            if found == kind:
                break
            name = known["CNAME"][0].rstrip(".")
        return response.to_wire()


@contextmanager
def open_names(records: Records, *, ttl: int = 300) -> Iterator[Names]:
    """A name server on a free port, until the end of the `with`."""
    names = Names(records, ttl=ttl)
    ending, end = socket.socketpair()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server, ending, end:
        server.bind((names.host, 0))
        names.port = server.getsockname()[1]

        def serve() -> None:
            while True:
                ready, _, _ = select.select([server, ending], [], [])
                if ending in ready:
                    return
                with suppress(OSError):
                    wire, asker = server.recvfrom(4096)
                    if (answer := names.answer(wire)) is not None:
                        server.sendto(answer, asker)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield names
        finally:
            end.send(b".")
            thread.join()
