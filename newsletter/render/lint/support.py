"""What mail clients do not support of what a page uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from newsletter.render.lint.css import Block
from newsletter.render.lint.document import Element
from newsletter.render.lint.features import used
from newsletter.render.lint.finding import Finding
from newsletter.render.lint.rules import found
from newsletter.render.lint.tables import features

# What may be used although some clients lack it, each with what is left there. To add one is a decision: see that
# nothing is lost to readers with those clients.
ACCEPTED: Mapping[str, str] = {
    # Where it is missing, the mail is as it stands without it.
    "css-at-media": "the mail is laid out for 600 pixels and for any narrower screen without it",
    "css-at-media-prefers-color-scheme": "the mail stays light, or the client darkens it by itself",
    "css-border-radius": "corners are square",
    "css-color-scheme": "the client chooses by itself",
    "html-meta-color-scheme": "the client chooses by itself",
    "css-selector-attribute": "by data-ogsc Outlook.com marks what it darkens; elsewhere it means nothing",
    "css-selector-child": "used in dark mode alone, which Outlook for Windows does not have",
    "css-word-break": "long words widen the mail in Yahoo's web page, which scrolls",
    "html-anchor-links": "the list of topics can be read without following it",
    "html-aria-label": "the title of the mail is read from elsewhere",
    # Part of what hides the preheader, for which mso-hide and display:none do as well.
    "css-max-height": "mso-hide hides the preheader in Outlook for Windows",
    "css-overflow": "mso-hide hides the preheader in Outlook for Windows",
    # Written by MJML around everything.
    "css-height": "resets an image's height; Yahoo takes the attribute",
    "css-cursor": "the pointer over a button stays an arrow",
    "html-target": "the client decides where a link opens",
    "css-outline": "takes an outline away that Outlook for Windows does not draw",
    "css-word-spacing": "says what is so anyway",
}


def lint_support(root: Element, sheets: Sequence[Block], path: str) -> Iterator[Finding]:
    """Each feature that some client of the default list lacks, where it is first used; not those of ACCEPTED."""
    first: dict[str, int] = {}
    for name, line in used(root, sheets):
        first.setdefault(name, line)
    for feature in features():
        lines = [first[name] for name in feature.uses if name in first]
        if lines and feature.slug not in ACCEPTED:
            what = f"{feature.title} ({feature.slug}) is not supported by {', '.join(feature.missing_in)}"
            yield found("client-support", path, min(lines), what)
