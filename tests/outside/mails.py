"""Every theme filled with every sample, and every letter in two languages, as one reader gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from newsletter.deliver import address, compiled, message_id, tokens
from newsletter.links import Links
from newsletter.model import Issue, Newsletter, Recipient, Rendered
from newsletter.render.environment import bundled_templates
from newsletter.render.issue import Render, open_render
from newsletter.render.letter import Letter, Occasion
from newsletter.store.issues import Frozen
from tests.outside.samples import SAMPLES

THEMES = sorted(path.parent.name for path in bundled_templates().glob("email/*/issue.mjml.j2"))
LETTERS = [f"{occasion}-{language}" for occasion in Occasion for language in ("en", "ar")]
NAMES = [*(f"{theme}-{sample}" for theme in THEMES for sample in SAMPLES), *LETTERS]

_BASE_URL = "https://papers.example.org"
_LINKS = Links(
    base_url=_BASE_URL, keys=("a key of these tests, and of nobody else",), bounce_domain="bounce.example.org"
)
_NEWSLETTER = Newsletter(
    name="daily-papers",
    title="Daily Papers",
    sender="Daily Papers <papers@example.org>",
    address="Example Press, 1 Sample Street, 12345 Sampletown",
)
_READER = Recipient(delivery=1, subscriber=1, email="reader@example.org", name="A Reader")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail in its parts and as it travels; `shown` counts the `stories` of its issue that it holds."""

    preheader: str
    html: str
    text: str
    eml: bytes
    stories: int = 0
    shown: int = 0


def make_mails() -> Mapping[str, Mail]:
    """The mails by their NAMES."""
    render = open_render(base_url=_BASE_URL)
    issues = {
        f"{theme}-{sample}": _issue(render, theme, build()) for theme in THEMES for sample, build in SAMPLES.items()
    }
    letters = {name: _letter(render, *name.split("-")) for name in LETTERS}
    return {**issues, **letters}


def _issue(render: Render, theme: str, issue: Issue) -> Mail:
    newsletter = replace(_NEWSLETTER, theme=theme, images=True)
    rendered = render.issue(issue, newsletter=newsletter)
    mail = _mail(render, rendered, issue, newsletter)
    shown = sum(fragment.kind == "story" for fragment in rendered.fragments)
    return replace(mail, preheader=issue.preheader, stories=len(issue.stories), shown=shown)


def _letter(render: Render, occasion: str, language: str) -> Mail:
    letter = Letter(
        occasion=Occasion(occasion),
        action_url=f"{_BASE_URL}/action/token",
        refuse_url=f"{_BASE_URL}/refuse/token",
        next="Monday, 23 November 2026",
        title="A source has been silent for three days",
        lines=("blog gave nothing since Tuesday.", "Its server answers 503."),
    )
    rendered = render.letter(letter, newsletter=_NEWSLETTER, language=language)
    mail = _mail(render, rendered, next(iter(SAMPLES.values()))(), _NEWSLETTER)
    return replace(mail, preheader=mail.text.partition("\n")[0])


def _mail(render: Render, rendered: Rendered, issue: Issue, newsletter: Newsletter) -> Mail:
    frozen = Frozen(
        id=1, nonce="sample", published_at=issue.slot.at, issue=issue, rendered=rendered, newsletter=newsletter
    )
    reader = _READER._replace(message_id=message_id(frozen, _READER.delivery))
    html, text = render.preview(rendered, tokens(frozen, reader, links=_LINKS))
    message = address(compiled(frozen, _LINKS), reader, newsletter=newsletter.name, links=_LINKS)
    return Mail(preheader="", html=html, text=text, eml=message.data)
