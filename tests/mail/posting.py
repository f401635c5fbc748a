"""Messages for transports that are no mail server, and what became of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from newsletter.mail import Send
from newsletter.model import Message, Outcome

BODY = b"From: papers@example.org\r\nTo: bob@example.net\r\nSubject: Papers\r\n\r\nHello,\r\n\r\n.\r\nyours\r\n"


def a_message(
    delivery: int = 1, *, sender: str = "papers@example.org", recipient: str = "bob@example.net", data: bytes = BODY
) -> Message:
    """A small one, with an empty line and a lonely dot."""
    return Message(delivery=delivery, sender=sender, recipient=recipient, pieces=(data,))


@dataclass
class Ledger:
    """Writes down what a sender reports, in order, and forbids what is in `forbidden`."""

    forbidden: Collection[int] = ()
    events: list[int | Outcome] = field(default_factory=list)

    def record(self, outcomes: Sequence[Outcome], starts: Sequence[int]) -> Collection[int]:
        """As the ledger's own."""
        self.events += [*outcomes, *starts]
        return [start for start in starts if start in self.forbidden]

    @property
    def outcomes(self) -> list[Outcome]:
        """What became of the messages."""
        return [event for event in self.events if isinstance(event, Outcome)]


def post(
    send: Send, messages: Iterable[Message], *, ledger: Ledger | None = None, stop: Callable[[], bool] = lambda: False
) -> Ledger:
    """Send, and give back what was reported; for one that raises, hand in the ledger."""
    ledger = ledger or Ledger()
    send(messages, record=ledger.record, stop=stop)
    return ledger
