"""Mails to look at: samples in a theme, letters, and issues as they would go out now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.by_hand import slot_of
from newsletter.deliver import address, compiled, message_id, tokens
from newsletter.links import Links
from newsletter.model import Issue, Newsletter, Recipient, Rendered
from newsletter.preview import compose_preview
from newsletter.render.issue import Render
from newsletter.render.letter import Letter, Occasion
from newsletter.render.lint.samples import SAMPLES
from newsletter.store.issues import Frozen

_READER = Recipient(delivery=0, subscriber=0, email="reader@example.org", name="A Reader")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail in its parts, and whole as it travels; `name` is what to call it, `preheader` how its text must begin."""

    name: str
    preheader: str
    html: str
    text: str
    data: bytes

    def write(self, folder: Path) -> None:
        """Put it into `<name>.html`, `.txt` and `.eml` there."""
        folder.mkdir(parents=True, exist_ok=True)
        for ending, data in (("html", self.html.encode()), ("txt", self.text.encode()), ("eml", self.data)):
            (folder / f"{self.name}.{ending}").write_bytes(data)


def sample_mails(newsletter: Newsletter, *, render: Render, links: Links) -> Iterator[Mail]:
    """Each sample in the newsletter's theme. RenderError for a theme that cannot be rendered."""
    for name, sample in SAMPLES.items():
        issue = sample(newsletter)
        rendered = render.issue(issue, newsletter=newsletter)
        yield _mail(f"{newsletter.name}-{name}", issue, rendered, newsletter, render=render, links=links)


def letter_mails(newsletter: Newsletter, *, render: Render, links: Links) -> Iterator[Mail]:
    """Each mail beside the issues, in the newsletter's language. RenderError for one that cannot be rendered."""
    for occasion in Occasion:
        letter = Letter(
            occasion=occasion,
            action_url=f"{links.base_url}/action",
            refuse_url=f"{links.base_url}/refuse",
            next="Monday, 12 January 2026",
            title="A sample of an alarm",
            lines=("A source gave nothing for a week.",),
        )
        rendered = render.letter(letter, newsletter=newsletter)
        vehicle = SAMPLES["empty"](newsletter)
        mail = _mail(f"letter-{occasion}", vehicle, rendered, newsletter, render=render, links=links)
        yield replace(mail, preheader="")  # its own, which only its templates know


def current_mail(app: App, newsletter: Newsletter, *, now: datetime) -> tuple[Mail | None, str]:
    """The issue as it would go out now, of what was collected before; without one the reason."""
    slot, _ = slot_of(app, newsletter.name, day=now.astimezone().date(), now=now)
    preview = compose_preview(app, slot, now=now)
    if preview.frozen is None:
        return None, preview.reason
    frozen = preview.frozen
    name = f"{newsletter.name}-{slot.date}"
    mail = _mail(name, frozen.issue, frozen.rendered, frozen.newsletter, render=app.render, links=app.links)
    return mail, ""


def _mail(name: str, issue: Issue, rendered: Rendered, newsletter: Newsletter, *, render: Render, links: Links) -> Mail:
    frozen = Frozen(
        id=0, nonce="check", published_at=issue.slot.at, issue=issue, rendered=rendered, newsletter=newsletter
    )
    reader = _READER._replace(message_id=message_id(frozen, 0))
    html, text = render.preview(rendered, tokens(frozen, reader, links=links))
    message = address(compiled(frozen, links), reader, newsletter=newsletter.name, links=links)
    return Mail(name=name, preheader=issue.preheader or issue.title, html=html, text=text, data=message.data)
