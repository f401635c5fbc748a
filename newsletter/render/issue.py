"""An issue rendered once for all its readers of a language.

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
from newsletter.language import speak
from newsletter.model import Fragment, Issue, Newsletter, Rendered, Story, Token, WhenEmpty
from newsletter.render import phrases, words
from newsletter.render.budget import most_that_fits
from newsletter.render.context import Context
from newsletter.render.environment import Templates, bundled_templates
from newsletter.render.fragments import Marks, Part, fill, html_bytes, new_suffix, pair
from newsletter.render.letter import Letter, render_letter
from newsletter.render.sanitize import sanitize, sanitize_newsletter

PREHEADER = 140  # characters; no mail client shows more
_TOP, MANY = 3, 6  # so many of the best are told first, where there are more than so many


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
        language = speak(whole.language)
        titles = sorted((story.title for story in whole.stories), key=lambda title: title != whole.headline)
        subject = phrases.subject(language, newsletter.title, titles)

        def fragments(part: Issue, subject: str = subject) -> tuple[Fragment, ...]:
            return self._fragments(part, newsletter, subject=subject, total=total)

        shown = most_that_fits(whole, size=lambda part: sum(html_bytes(piece.html) for piece in fragments(part)))
        if shown is None:
            raise RenderError("too long without any story", template=_template(newsletter, "mjml"))
        nothing = None
        if newsletter.when_empty is WhenEmpty.SEND and whole.stories:
            told = phrases.preheader(language, issue.sections, newsletter.noun)
            preheader = phrases.preheader(language, (), newsletter.noun) if issue.preheader == told else whole.preheader
            empty = replace(whole, sections=(), preheader=preheader)
            said = phrases.subject(language, newsletter.title, ())
            nothing = Rendered(subject=said, fragments=fragments(empty, said))
        return Rendered(subject=subject, fragments=fragments(shown), nothing=nothing)

    def letter(self, letter: Letter, *, newsletter: Newsletter, language: str = "") -> Rendered:
        """A mail to one person beside the issues, in their language or the newsletter's. RenderError as for issues."""
        return render_letter(
            letter, newsletter=newsletter, templates=self._templates, home_url=self._base_url, language=language
        )

    def preview(self, rendered: Rendered, tokens: Mapping[Token, str]) -> tuple[str, str]:
        """The whole HTML and text as one reader gets them. KeyError for a token that is used and not given."""
        return fill(rendered, tokens)

    def _fragments(self, issue: Issue, newsletter: Newsletter, *, subject: str, total: int) -> tuple[Fragment, ...]:
        suffix = new_suffix((issue, newsletter, subject, self._base_url))
        context = _context(issue, newsletter, Marks(suffix), subject=subject, total=total, home_url=self._base_url)
        html, text = (self._parts(_template(newsletter, kind), context, suffix) for kind in ("mjml", "txt"))
        if [(part.kind, part.key) for part in html] != [(part.kind, part.key) for part in text]:
            raise RenderError("its cuts are not those of the HTML", template=_template(newsletter, "txt"))
        return pair(html, text)

    def _parts(self, template: str, context: Context, suffix: str) -> tuple[Part, ...]:
        marks = Marks(suffix)
        variables = replace(context, cut=marks.cut, told=marks.told).variables()
        document = self._templates.render(template, variables, language=speak(context.language))
        parts = marks.parts(document, template=template)
        if not _in_order([(part.kind, part.key) for part in parts], context):
            raise RenderError("cuts are missing or out of order: section, its stories, …, foot", template=template)
        return parts


def _template(newsletter: Newsletter, kind: str) -> str:
    return f"email/{newsletter.theme}/issue.{kind}.j2"


def _in_order(cuts: Sequence[tuple[str, str]], context: Context) -> bool:
    """Whether the fragments are those of the issue, as they must follow each other.

    The best stories and the contents are a theme's choice: all of them or none; after them the lead.
    """
    body = [
        place
        for section in context.sections
        for place in [("section", section.topic), *(("story", story.key) for story in section.stories)]
    ]
    top = [("top", ""), *(("top", story.key) for story in context.top)]
    contents = [("contents", ""), *(("contents", section.topic) for section in context.sections)]
    kinds = {kind for kind, _ in cuts}
    lead = [
        *(top if "top" in kinds else []),
        *(contents if "contents" in kinds else []),
        *([("lead", "")] if kinds & {"top", "contents", "lead"} else []),
    ]
    return list(cuts) == [("head", ""), *lead, *body, ("foot", "")]


def _context(issue: Issue, newsletter: Newsletter, marks: Marks, *, subject: str, total: int, home_url: str) -> Context:
    language = speak(issue.language)
    return Context(
        subject=subject,
        preheader=words.clip(issue.preheader or issue.title, PREHEADER),
        newsletter=newsletter.title,
        title=issue.title,
        date=issue.slot.date,
        language=language.tag,
        direction=language.direction,
        start="right" if language.direction == "rtl" else "left",
        noun=newsletter.noun,
        top=_top(issue),
        votes=newsletter.votes,
        suggestions=bool(newsletter.suggestions),
        images=newsletter.images,
        intro=issue.intro,
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
        told=marks.told,
    )


def _top(issue: Issue) -> tuple[Story, ...]:
    """The best stories across topics; none where the issue is short enough to see them at once."""
    if len(issue.sections) == 1 or len(issue.stories) <= MANY:
        return ()
    ranked = sorted(issue.stories, key=lambda story: (story.title != issue.headline, -story.standing))
    return tuple(ranked[:_TOP])
