"""The mails beside the issues, each for one person: confirmation, welcome, links, a new address, alarm.

Letter(occasion, …) + newsletter -> Rendered: a subject and one fragment, nothing left to fill in
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum

from newsletter.language import Language, speak
from newsletter.model import Fragment, Newsletter, Rendered
from newsletter.render.environment import Templates
from newsletter.render.sanitize import SUMMARY, TITLE, clean, sanitize_newsletter, web_address

_LINES = 40


class Occasion(StrEnum):
    """Why a letter is written; also the name of its templates in `email/letters/`."""

    CONFIRMATION = "confirmation"
    WELCOME = "welcome"
    PREFERENCES = "preferences"
    ACCOUNT = "account"
    ADDRESS = "address"
    NOTICE = "notice"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a letter says beside its own words.

    `action_url` is where its button leads, `refuse_url` the way out beside it. An alarm has a `title` and `lines`.
    """

    occasion: Occasion
    action_url: str
    refuse_url: str = ""
    next: str = ""
    title: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterContext:
    """The variables of the templates in `email/letters/`, the same for HTML and text."""

    subject: str = field(metadata={"help": "the mail's subject"})
    preheader: str = field(metadata={"help": "what a mail client shows beside the subject"})
    newsletter: str = field(metadata={"help": "the newsletter's title"})
    language: str = field(metadata={"help": "the mail's language, as a BCP 47 tag"})
    direction: str = field(metadata={"help": "the direction that language is written in: ltr or rtl"})
    start: str = field(metadata={"help": "the side that language begins on: left or right"})
    address: str = field(metadata={"help": "the sender's postal address, empty where none is configured"})
    home_url: str = field(metadata={"help": "where anybody can subscribe"})
    action_url: str = field(metadata={"help": "where the button leads: confirming, the preferences, objecting"})
    refuse_url: str = field(metadata={"help": "the way out: never again, or unsubscribing; empty where there is none"})
    next: str = field(metadata={"help": "`welcome`: when the next issue comes; may be empty"})
    lines: tuple[str, ...] = field(metadata={"help": "`alarm`: what happened, a paragraph each"})

    def variables(self) -> Mapping[str, object]:
        """The names and values that Jinja gets."""
        return {each.name: getattr(self, each.name) for each in fields(self)}


def render_letter(
    letter: Letter, *, newsletter: Newsletter, templates: Templates, home_url: str, language: str = ""
) -> Rendered:
    """The letter in a language, the newsletter's own by default. RenderError names template and line."""
    speech = speak(language or newsletter.language)
    newsletter = sanitize_newsletter(newsletter)
    letter = replace(
        letter, title=clean(letter.title, TITLE), lines=_lines(letter.lines), next=clean(letter.next, TITLE)
    )
    context = LetterContext(
        subject=_subject(letter, speech, newsletter.title),
        preheader=_preheader(letter, speech, newsletter.title),
        newsletter=newsletter.title,
        language=speech.tag,
        direction=speech.direction,
        start="right" if speech.direction == "rtl" else "left",
        address=newsletter.address,
        home_url=home_url,
        action_url=web_address(letter.action_url),
        refuse_url=web_address(letter.refuse_url),
        next=letter.next,
        lines=letter.lines,
    )
    html, text = (
        templates.render(f"email/letters/{letter.occasion}.{kind}.j2", context.variables(), language=speech)
        for kind in ("mjml", "txt")
    )
    fragment = Fragment(kind="head", key="", html=(html.rstrip("\n") + "\n",), text=(text.rstrip("\n") + "\n",))
    return Rendered(subject=context.subject, fragments=(fragment,))


def _subject(letter: Letter, speech: Language, newsletter: str) -> str:  # noqa: PLR0911 - one for each occasion
    match letter.occasion:
        case Occasion.CONFIRMATION:
            return speech.gettext("Please confirm: %(newsletter)s", newsletter=newsletter)
        case Occasion.WELCOME:
            return speech.gettext("Welcome to %(newsletter)s", newsletter=newsletter)
        case Occasion.PREFERENCES:
            return speech.gettext("Your link to %(newsletter)s", newsletter=newsletter)
        case Occasion.ACCOUNT:
            return speech.gettext("Your data at %(newsletter)s", newsletter=newsletter)
        case Occasion.ADDRESS:
            return speech.gettext("Please confirm your new address: %(newsletter)s", newsletter=newsletter)
        case Occasion.NOTICE:
            return speech.gettext("Another address for %(newsletter)s?", newsletter=newsletter)
    return letter.title


def _preheader(letter: Letter, speech: Language, newsletter: str) -> str:  # noqa: PLR0911 - one for each occasion
    match letter.occasion:
        case Occasion.CONFIRMATION:
            return speech.gettext("Without your word nothing is sent.")
        case Occasion.WELCOME:
            return speech.gettext("What comes next, and how to choose what you get.")
        case Occasion.PREFERENCES:
            return speech.gettext("It works for you alone.")
        case Occasion.ACCOUNT:
            return speech.gettext("It works for you alone.")
        case Occasion.ADDRESS:
            return speech.gettext("Without your word nothing is sent.")
        case Occasion.NOTICE:
            return speech.gettext("If it was you, there is nothing to do.")
    return letter.lines[0] if letter.lines else newsletter


def _lines(lines: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(clean(line, SUMMARY) for line in lines[:_LINES])
