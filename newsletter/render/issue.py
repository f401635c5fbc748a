"""An issue rendered once for all its readers.

clean = sanitize(issue)
until it fits:
    documents = the theme's two templates, filled once, with markers
    fragments = documents cut at their markers
    clean     = clean without some of the last stories of its longest sections
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from newsletter.errors import RenderError
from newsletter.model import Fragment, Issue, Newsletter, Rendered, Section, Token
from newsletter.render import words
from newsletter.render.budget import most_that_fits
from newsletter.render.context import Context
from newsletter.render.environment import Templates, bundled_templates
from newsletter.render.fragments import Marks, Part, fill, html_bytes, new_suffix, pair
from newsletter.render.sanitize import sanitize, sanitize_newsletter

_PREHEADER = 140  # characters; no mail client shows more
_RIGHT_TO_LEFT = {"ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"}


def open_render(folders: Sequence[Path] = (), *, base_url: str) -> Render:
    """A renderer that looks for templates in `folders` first and then among the bundled ones.

    `base_url` is the newsletter's public address, where somebody to whom a mail was forwarded can subscribe.
    """
    return Render(Templates([*folders, bundled_templates()]), base_url=base_url)


class Render:
    """Renders issues; keeps the compiled templates, and takes up a template file that has changed since."""

    def __init__(self, templates: Templates, *, base_url: str) -> None:
        self._templates = templates
        self._base_url = base_url

    def issue(self, issue: Issue, *, newsletter: Newsletter) -> Rendered:
        """The issue's subject and fragments, the HTML at most 95,000 bytes with every slot filled.

        Raises RenderError, which names the template, when the theme cannot render it.
        """
        whole, newsletter = sanitize(issue), sanitize_newsletter(newsletter)
        total = sum(len(section.stories) + section.more for section in whole.sections)
        titles = sorted((story.title for story in whole.stories), key=lambda title: title != whole.headline)
        subject = words.subject(newsletter.title, titles)

        def fragments(part: Issue) -> tuple[Fragment, ...]:
            return self._fragments(part, newsletter, subject=subject, total=total)

        shown = most_that_fits(whole, size=lambda part: sum(html_bytes(piece.html) for piece in fragments(part)))
        if shown is None:
            raise RenderError("too long without any story", template=_template(newsletter, "mjml"))
        return Rendered(subject=subject, fragments=fragments(shown))

    def preview(self, rendered: Rendered, tokens: Mapping[Token, str]) -> tuple[str, str]:
        """The whole HTML and text as one reader gets them. KeyError for a token that is used and not given."""
        return fill(rendered, tokens)

    def _fragments(self, issue: Issue, newsletter: Newsletter, *, subject: str, total: int) -> tuple[Fragment, ...]:
        suffix = new_suffix((issue, newsletter, subject, self._base_url))
        context = _context(issue, newsletter, Marks(suffix), subject=subject, total=total, home_url=self._base_url)
        html, text = (self._parts(_template(newsletter, kind), context, suffix) for kind in ("mjml", "txt"))
        return pair(html, text)

    def _parts(self, template: str, context: Context, suffix: str) -> tuple[Part, ...]:
        marks = Marks(suffix)
        document = self._templates.render(template, replace(context, cut=marks.cut).variables())
        parts = marks.parts(document, template=template)
        if [(part.kind, part.key) for part in parts] != _order(context.sections):
            raise RenderError("cuts are missing or out of order: section, its stories, …, foot", template=template)
        return parts


def _template(newsletter: Newsletter, kind: str) -> str:
    return f"email/{newsletter.theme}/issue.{kind}.j2"


def _order(sections: Sequence[Section]) -> list[tuple[str, str]]:
    """The kind and key of every fragment, as they must follow each other."""
    middle = [
        place
        for section in sections
        for place in [("section", section.topic), *(("story", story.key) for story in section.stories)]
    ]
    return [("head", ""), *middle, ("foot", "")]


def _context(issue: Issue, newsletter: Newsletter, marks: Marks, *, subject: str, total: int, home_url: str) -> Context:
    return Context(
        subject=subject,
        preheader=words.clip(issue.preheader or issue.title, _PREHEADER),
        newsletter=newsletter.title,
        title=issue.title,
        date=issue.slot.date,
        language=issue.language,
        direction="rtl" if issue.language.split("-")[0].lower() in _RIGHT_TO_LEFT else "ltr",
        sections=issue.sections,
        shown=len(issue.stories),
        more=total - len(issue.stories),
        address=newsletter.address,
        home_url=home_url,
        name=marks.slot(Token.NAME),
        email=marks.slot(Token.EMAIL),
        unsubscribe_url=marks.slot(Token.UNSUBSCRIBE_URL),
        preferences_url=marks.slot(Token.PREFERENCES_URL),
        web_url=marks.slot(Token.WEB_URL),
        cut=marks.cut,
    )
