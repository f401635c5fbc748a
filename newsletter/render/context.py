"""What a template may use: every name in it, and what it stands for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date

from markupsafe import Markup

from newsletter.model import Section, Story


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The variables of `issue.mjml.j2` and `issue.txt.j2`, the same for both.

    All text is plain, on one line and of bounded length; Jinja escapes it for HTML. All addresses are http(s).
    """

    subject: str = field(metadata={"help": "the mail's subject"})
    preheader: str = field(metadata={"help": "what a mail client shows beside the subject: 40 to 140 characters"})
    newsletter: str = field(metadata={"help": "the newsletter's title"})
    title: str = field(metadata={"help": "the issue's title"})
    date: date = field(metadata={"help": "the issue's day, in the schedule's time zone"})
    language: str = field(metadata={"help": "the issue's language, as a BCP 47 tag"})
    direction: str = field(metadata={"help": "the direction that language is written in: ltr or rtl"})
    start: str = field(metadata={"help": "the side that language begins on: left or right"})
    noun: str = field(metadata={"help": "what the newsletter calls its stories: paper or story"})
    top: tuple[Story, ...] = field(
        metadata={"help": "the three best stories of an issue that has several topics and more than six stories"}
    )
    votes: bool = field(metadata={"help": "whether the newsletter's readers may say which stories they like"})
    suggestions: bool = field(metadata={"help": "whether the newsletter's readers may suggest links"})
    images: bool = field(metadata={"help": "whether the newsletter shows the pictures of stories"})
    intro: tuple[str, ...] = field(metadata={"help": "what the editor says first, in paragraphs; mostly none"})
    sections: tuple[Section, ...] = field(metadata={"help": "the topics with their stories, as in `newsletter.model`"})
    shown: int = field(metadata={"help": "how many stories this mail shows"})
    more: int = field(metadata={"help": "how many stories of the issue it does not show"})
    address: str = field(metadata={"help": "the sender's postal address, empty where none is configured"})
    home_url: str = field(metadata={"help": "where anybody can subscribe"})
    name: Markup = field(metadata={"help": "slot: the reader's name, which may be empty"})
    email: Markup = field(metadata={"help": "slot: the reader's address"})
    unsubscribe_url: Markup = field(metadata={"help": "slot: where this reader leaves"})
    preferences_url: Markup = field(metadata={"help": "slot: where this reader chooses topics and days"})
    web_url: Markup = field(metadata={"help": "slot: this issue on the web, with every story"})
    cut: Callable[..., Markup] = field(
        metadata={
            "help": "begins a part of the mail that is kept or left out as a whole, on a line of its own: "
            "cut('section', section.topic), cut('story', story.key), cut('foot'); what precedes all is the head. "
            "Before the sections, where a theme has them: cut('top') and cut('top', story.key) for the best, "
            "cut('contents') and cut('contents', section.topic) for the list of topics, cut('lead') for what follows"
        }
    )
    told: Callable[..., str] = field(
        metadata={
            "help": "marks words that say how much there is, which are others in a reader's own edition: "
            "{% call told('shown') %}{{ shown|counted(noun) }}{% endcall %}. There are preheader, shown, topics, "
            "stories (in the contents), more_in (in a section's heading), more"
        }
    )

    def variables(self) -> dict[str, object]:
        """The names and values that Jinja gets."""
        return {each.name: getattr(self, each.name) for each in fields(self)}
