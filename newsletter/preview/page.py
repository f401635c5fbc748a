"""index.html: what every kind of reader sees of an issue, side by side on one page.

All that comes from an issue is text to the page, which runs no script of it and loads nothing: its HTML stands in
frames without any right (`sandbox`), which are under the page's own Content-Security-Policy as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from newsletter.mail.headers import parse_mailbox
from newsletter.preview import Edition
from newsletter.render.budget import HTML_LIMIT
from newsletter.render.environment import Templates, bundled_templates

INDEX = "index.html"
_TEMPLATE = "preview/index.html.j2"
_ABOUT = {
    "light.png": "Light, 640 pixels",
    "dark.png": "Dark, 640 pixels",
    "phone.png": "Phone, 375 pixels",
    "blocked.png": "Images blocked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Why there is no newer issue to show, and where that is to be mended."""

    what: str
    place: str = ""


def write_page(
    folder: Path,
    edition: Edition | None,
    *,
    title: str,
    pictures: Sequence[Path] = (),
    notes: Sequence[str] = (),
    mistakes: Sequence[Mistake] = (),
    images: bool = False,
    version: int | None = None,
) -> Path:
    """Write index.html for the files beside it; its path.

    Its frames load images of the issue if `images` are wanted. With a `version` the page is one that `live` serves.
    """
    variables = {
        "title": title,
        "edition": edition,
        "inbox": _inbox(edition) if edition is not None else {},
        "sizes": _sizes(edition) if edition is not None else (),
        "limit": HTML_LIMIT,
        "pictures": [(path.name, _ABOUT[path.name]) for path in pictures],
        "files": [path.name for path in edition.files] if edition is not None else [],
        "notes": notes,
        "mistakes": mistakes,
        "policy": _policy(images=images, live=version is not None),
        "version": version,
    }
    page = _templates().render(_TEMPLATE, variables)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".{INDEX}.new"
    fresh.write_text(page, encoding="utf-8")
    return fresh.replace(folder / INDEX)


@cache
def _templates() -> Templates:
    """The bundled ones alone: an operator's own are what is looked at."""
    return Templates([bundled_templates()])


def _policy(*, images: bool, live: bool) -> str:
    """The Content-Security-Policy of the page and, since they have no address, of its frames."""
    # Browsers disagree on whether 'self' is said of files.
    pictures = "'self'" if live else "'self' file:"
    rules = {
        "default-src": "'none'",
        "style-src": "'unsafe-inline'",  # mails have their styles in them
        "img-src": f"{pictures} https: http:" if images else pictures,
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    if live:
        rules |= {"script-src": "'self'", "connect-src": "'self'"}
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _inbox(edition: Edition) -> dict[str, str]:
    """What a list of mails shows of it."""
    issue = edition.frozen.issue
    sender = parse_mailbox(edition.frozen.newsletter.sender)
    return {
        "sender": sender.name or sender.email,
        "subject": edition.frozen.rendered.subject,
        "preheader": edition.preheader or issue.preheader or issue.title,
        "day": f"{issue.slot.date.day} {issue.slot.date:%b}",
    }


def _sizes(edition: Edition) -> tuple[tuple[str, int], ...]:
    return (
        ("HTML", len(edition.html.encode())),
        ("Text", len(edition.text.encode())),
        ("Whole message", len(edition.message)),
    )
