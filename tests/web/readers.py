"""A reader at a site: fills in forms, waits for the desk, follows the links in mails."""

from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import urlsplit

from newsletter import desk
from newsletter.links import Purpose
from tests.web.websites import Answer, Website

READER = "reader@example.org"
WHILE = timedelta(seconds=5)  # to type an address


def fill_in(
    website: Website, email: str = READER, *, network: str = "198.51.100.7", trap: str = "", **fields: str
) -> Answer:
    """Open the page, type, press the button."""
    page = website.get("/daily-papers").text
    website.pass_time(WHILE)
    stamp = re.search(r'name="page" value="([^"]+)"', page)
    assert stamp is not None
    form = {"email": email, "page": stamp[1], "language": "en", "website": trap, **fields}
    return website.post("/daily-papers/subscribe", form, X_Forwarded_For=network)


def mails(website: Website, email: str = READER) -> list[EmailMessage]:
    """What the desk has sent to an address, after it has looked."""
    desk.answer(website.app, now=website.now)
    return [message for message in website.mailbox.messages() if email.lower() in str(message["To"]).lower()]


def subjects(website: Website, email: str = READER) -> list[str]:
    """Their subjects."""
    return [str(message["Subject"]) for message in mails(website, email)]


def link(message: EmailMessage, purpose: str) -> str:
    """The path of the link in a mail."""
    text = message.get_body(("plain",))
    assert text is not None
    found = re.search(rf"https?://\S+/{purpose}/\S+", text.get_content())
    assert found is not None
    return urlsplit(found[0]).path


def join(website: Website, email: str = READER) -> int:
    """Sign up and confirm; their number."""
    fill_in(website, email)
    assert website.post(link(mails(website, email)[-1], "confirm")).status == 200
    return website.app.store.subscribers.get(email)


def state(website: Website, email: str = READER) -> str:
    """How they stand to the newsletter; empty for nobody."""
    standing = website.app.store.consent.standing(email.lower(), "daily-papers")
    return standing.state if standing else ""


def path(website: Website, purpose: Purpose, subscriber: int) -> str:
    """A link as an issue has it."""
    return urlsplit(website.app.links.url(purpose, subscriber=subscriber, newsletter="daily-papers")).path


def kinds(website: Website, subscriber: int) -> list[str]:
    """What the log of consent says happened."""
    return [event.kind for event in website.app.store.events.list(subscriber=subscriber)]
