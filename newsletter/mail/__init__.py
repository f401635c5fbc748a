"""How an issue travels: message bytes, the server's replies, the connection that carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from newsletter.model import Message, Outcome


class Send(Protocol):
    """Hands messages to a mail server.

    Every message taken from `messages` gets exactly one Outcome through `finished`. `started` is called with a
    message's delivery before the first byte of its body may leave, so that whoever keeps the ledger knows after a
    crash which messages may have arrived. When `stop()` turns true no further message is taken and those in flight
    are finished.
    """

    def __call__(
        self,
        messages: Iterable[Message],
        *,
        started: Callable[[Sequence[int]], None],
        finished: Callable[[Sequence[Outcome]], None],
        stop: Callable[[], bool],
    ) -> None:
        """Send until `messages` ends or `stop()`.

        Raises Refused or SendError when no message can go out at all; messages taken until then have had their
        outcome (`unsent`) all the same.
        """
        ...
