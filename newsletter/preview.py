"""The issue as somebody would get it, written into files; nothing is published and nobody is written to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.codec import encode
from newsletter.deliver import address, letterhead, message_id, tokens
from newsletter.mail.message import compile_issue
from newsletter.model import Recipient, Slot
from newsletter.store.issues import PUBLISHED, Frozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The issue with everything a message is made of, or None with the reason."""

    frozen: Frozen | None
    reason: str = ""


def compose_preview(app: App, slot: Slot, *, now: datetime) -> Preview:
    """The published issue of a slot, else what it would be now."""
    decided = app.store.issues.find(slot)
    if decided is not None and decided.state == PUBLISHED:
        return Preview(frozen=app.store.issues.load(decided.id))
    composed = app.compose(slot, now=now)
    if composed.issue is None:
        return Preview(frozen=None, reason=composed.reason)
    newsletter = app.newsletter(slot.newsletter)
    return Preview(
        frozen=Frozen(
            id=0,
            nonce="preview",
            published_at=now,
            issue=composed.issue,
            rendered=app.render.issue(composed.issue, newsletter=newsletter),
            newsletter=newsletter,
        )
    )


def write_preview(app: App, frozen: Frozen, *, reader: str, folder: Path) -> list[Path]:
    """Write issue.html, issue.txt, issue.eml and issue.json as `reader` would get them; their paths, in that order.

    The links in them are signed for nobody, unless the reader is a subscriber.
    """
    recipient = Recipient(
        delivery=0, subscriber=app.store.subscribers.find(reader) or 0, email=reader, message_id=message_id(frozen, 0)
    )
    filled = tokens(recipient, newsletter=frozen.newsletter.name, slot=frozen.issue.slot, links=app.links)
    html, text = app.render.preview(frozen.rendered, filled)
    assembly = compile_issue(frozen.rendered, letterhead(frozen, app.links))
    message = address(assembly, recipient, newsletter=frozen.newsletter.name, slot=frozen.issue.slot, links=app.links)
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "issue.html": html.encode(),
        "issue.txt": text.encode(),
        "issue.eml": message.data,
        "issue.json": encode(frozen.issue).encode(),
    }
    for name, data in contents.items():
        (folder / name).write_bytes(data)
    return [folder / name for name in contents]
