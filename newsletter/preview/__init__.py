"""The issue as somebody would get it, in files and on one page; nothing is published and nobody is written to.

    compose_preview -> Frozen --write_preview(reader)--> Edition --take_pictures, write_page--> index.html

pictures.py   how it looks in Chromium: light, dark, on a phone, without its images
page.py       index.html, which shows everything side by side
show.py       all of it for one newsletter and reader, once or again and again
live.py       again whenever a file changes, on a page that reloads itself
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from pathlib import Path

from newsletter.app import App
from newsletter.codec import encode
from newsletter.deliver import address, compiled, message_id, tokens
from newsletter.editions import NOTHING, Editions
from newsletter.language import speak
from newsletter.model import Issue, Preferences, Recipient, Rendered, Slot
from newsletter.publish import render_all
from newsletter.store.issues import PUBLISHED, Frozen
from newsletter.tailor import asks

NOBODY = "reader@example.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The issue with everything a message is made of, or None with the reason."""

    frozen: Frozen | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edition:
    """The issue as one reader gets it: both parts, the whole message, and the files that have them.

    `notes` say in words what is peculiar to this reader: whom links are signed for, why no mail would come.
    """

    frozen: Frozen
    reader: Recipient
    html: str
    text: str
    message: bytes
    files: tuple[Path, ...]
    notes: tuple[str, ...]
    preheader: str = ""  # where it is not the issue's


def compose_preview(app: App, slot: Slot, *, now: datetime, anew: bool = False) -> Preview:
    """The published issue of a slot, else what it would be now. RenderError.

    `anew` renders a published issue as its newsletter and templates are now.
    """
    newsletter = app.newsletter(slot.newsletter)
    decided = app.store.issues.find(slot)
    if decided is not None and decided.state == PUBLISHED:
        frozen = app.store.issues.load(decided.id)
        if anew:
            rendered, translations = _rendered(app, frozen.issue)
            frozen = replace(frozen, rendered=rendered, translations=translations, newsletter=newsletter)
        return Preview(frozen=frozen)
    composed = app.compose(slot, now=now)
    if composed.issue is None:
        return Preview(frozen=None, reason=composed.reason)
    rendered, translations = _rendered(app, composed.issue)
    return Preview(
        frozen=Frozen(
            id=0,
            nonce="preview",
            published_at=now,
            issue=composed.issue,
            rendered=rendered,
            translations=translations,
            newsletter=newsletter,
        )
    )


def write_preview(app: App, frozen: Frozen, *, reader: str, folder: Path) -> Edition:
    """Write issue.html, issue.txt, issue.eml and issue.json as the address `reader` would get them.

    The links in them are signed for nobody, unless that is a subscriber's address; empty stands for no one's.
    """
    recipient, notes = _recipient(app, frozen, reader)
    rendered, preheader, more = _edition(app, frozen, recipient.subscriber)
    frozen, notes = replace(frozen, rendered=rendered), (*notes, *more)
    html, text = app.render.preview(rendered, tokens(frozen, recipient, links=app.links))
    message = address(compiled(frozen, app.links), recipient, newsletter=frozen.newsletter.name, links=app.links)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "issue.html": html.encode(),
        "issue.txt": text.encode(),
        "issue.eml": message.data,
        "issue.json": encode(frozen.issue).encode(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return Edition(
        frozen=frozen,
        reader=recipient,
        html=html,
        text=text,
        message=message.data,
        files=tuple(folder / name for name in contents),
        notes=notes,
        preheader=preheader,
    )


def _rendered(app: App, issue: Issue) -> tuple[Rendered, dict[str, Rendered]]:
    newsletter = app.newsletter(issue.slot.newsletter)
    return render_all(issue, newsletter=newsletter, render=app.render.issue, store=app.store)


def _edition(app: App, frozen: Frozen, subscriber: int) -> tuple[Rendered, str, tuple[str, ...]]:
    """The issue as somebody chose it, its preheader, what is to be said about it; the whole where nothing is left."""
    preferences = app.store.subscribers.preferences([subscriber], frozen.newsletter.name).get(subscriber)
    if preferences is None:
        return frozen.rendered, "", ()
    editions = Editions(frozen, partial(compiled, links=app.links)).speaking(preferences.language)
    edition, whole = editions.edition(preferences), editions.whole
    rendered = editions.rendered(edition)
    if rendered is None:
        return frozen.rendered, "", (f"no mail would go there: {NOTHING}; this is the whole issue",)
    notes = []
    if preferences.language in frozen.translations:
        notes.append(f"in the language of this reader: {speak(preferences.language).name}")
    if asks(preferences) != Preferences() and whole.stories:
        notes.append(f"{len(edition.stories)} of {len(whole.stories)} stories, as this reader chose")
    return rendered, editions.preheader(edition), tuple(notes)


def _recipient(app: App, frozen: Frozen, reader: str) -> tuple[Recipient, tuple[str, ...]]:
    """Whom the edition is for, and what is to be said about that."""
    nobody = Recipient(delivery=0, subscriber=0, email=reader or NOBODY, message_id=message_id(frozen, 0))
    if not reader:
        return nobody, ("links are signed for nobody; --as EMAIL shows a subscriber's edition",)
    number = app.store.subscribers.find(reader)
    who = app.store.subscribers.of(number, "") if number is not None else None
    if who is None:
        return nobody, (f"links are signed for nobody: {reader} is no subscriber",)
    recipient = nobody._replace(subscriber=who.id, email=who.email, name=who.name)
    subscribed = app.store.subscribers.of(who.id, frozen.newsletter.name)
    state = subscribed.state if subscribed is not None else ""
    signed = f"links are signed for {who.email}: whoever follows them acts for that reader"
    if who.suppressed:
        return recipient, (signed, f"no mail would go there: {who.suppressed}")
    if state != "confirmed":
        why = {"pending": "not confirmed yet", "left": "has left"}.get(state, "not subscribed to this newsletter")
        return recipient, (signed, f"no mail would go there: {why}")
    return recipient, (signed,)
