"""Sends the mails beside the issues, each for one person: confirmations, links, alarms.

A letter is rendered, put under the newsletter's letterhead, signed where mails are, and handed to the mail server. The
same Message-ID on every attempt lets a receiver drop a second copy.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from newsletter.errors import NewsletterError
from newsletter.mail import Send
from newsletter.mail.dkim import Signer, signed
from newsletter.mail.headers import parse_mailbox
from newsletter.mail.message import Letterhead, compile_issue
from newsletter.model import Message, Newsletter, Outcome, Recipient, Rendered, Verdict
from newsletter.render.letter import Letter

log = logging.getLogger("newsletter.letters")


class Render(Protocol):
    """Renders a letter."""

    def letter(self, letter: Letter, *, newsletter: Newsletter, language: str = "") -> Rendered:
        """Raises RenderError, naming the template and line."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A letter on its way to an address. `number` names it among those posted together, `identity` for good."""

    number: int
    identity: str  # what makes its Message-ID: told to nobody, the same on every attempt
    email: str
    letter: Letter
    newsletter: Newsletter
    language: str = ""
    unsubscribe_url: str = ""


def post(
    posts: Iterable[Post],
    *,
    render: Render,
    send: Send,
    signer: Signer | None,
    record: Callable[[Outcome], None],
    now: datetime,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    """Send letters; `record` hears what became of each as soon as it is known.

    Of one that it does not hear of nothing is known but that it was not sent: the mail server could not be used, which
    is logged. RenderError for a template that cannot be rendered.
    """

    def recorded(outcomes: Sequence[Outcome], _starting: Sequence[int]) -> Collection[int]:
        for outcome in outcomes:
            record(outcome)
        return ()

    messages = []
    for each in posts:
        try:
            messages.append(_message(each, render=render, signer=signer, now=now))
        except ValueError as error:  # an address that cannot stand in an envelope
            record(Outcome(delivery=each.number, verdict=Verdict.REJECTED, text=str(error)))
    if not messages:
        return
    try:
        send(messages, record=recorded, stop=stop)
    except NewsletterError as error:
        log.error("letters could not be sent, will be tried again: %s", error)  # noqa: TRY400


def _message(each: Post, *, render: Render, signer: Signer | None, now: datetime) -> Message:
    sender = parse_mailbox(each.newsletter.sender)
    rendered = render.letter(each.letter, newsletter=each.newsletter, language=each.language)
    local = hashlib.sha256(each.identity.encode()).hexdigest()[:32]
    recipient = Recipient(
        delivery=each.number,
        subscriber=0,
        email=each.email,
        message_id=f"<{each.letter.occasion}.{local}@{sender.email.rpartition('@')[2]}>",
    )
    assembly = compile_issue(rendered, Letterhead(sender=sender, date=now, auto_generated=True))
    message = assembly.message(recipient, tokens={}, unsubscribe_url=each.unsubscribe_url)
    return signed(message, signer, at=now)
