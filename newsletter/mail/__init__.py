"""How an issue travels: message bytes, the server's replies, the connection that carries them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, runtime_checkable

from newsletter.mail.budget import Lanes
from newsletter.model import Message, Outcome
from newsletter.networks import Guard

# What became of messages, and the deliveries whose bodies are about to leave -> those that must not leave after all.
Record = Callable[[Sequence[Outcome], Sequence[int]], Collection[int]]


class Send(Protocol):
    """Hands messages to a mail server.

    Every message taken from `messages` gets exactly one Outcome through `record`, unless `record` said that it must
    not leave. It is called with a message's delivery before the first byte of its body may leave, so that whoever keeps
    the ledger knows after a crash which messages may have arrived. When `stop()` turns true no further message is taken
    and those in flight are finished.
    """

    def __call__(self, messages: Iterable[Message], *, record: Record, stop: Callable[[], bool]) -> None:
        """Send until `messages` ends or `stop()`.

        Raises Refused or SendError when no message can go out at all; messages taken until then have had their
        outcome (`unsent`) all the same.
        """
        ...


@runtime_checkable
class Sharing(Protocol):
    """A sender whose limits are those of all workers on one database, and which may connect to strangers' servers."""

    def sharing(self, lanes: Lanes, *, guard: Guard) -> Send:
        """The same sender, with what all workers know, and connecting to nothing that `guard` forbids."""
        ...
