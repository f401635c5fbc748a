"""Issues to try a theme on: an ordinary one, an empty one, one in Arabic, and one that means no good."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from newsletter.model import Issue, Link, Mention, Newsletter, Section, Signals, Slot, Story

_AT = datetime(2026, 1, 5, 8, tzinfo=UTC)
_ARABIC = "تعلم الآلة في خدمة اللغات"
# The same word 60 times has no place to break; U+0092 makes Gmail clip a mail that lets it through.
_HOSTILE_TITLES = (
    "Interminable " * 40,
    "Unbreakable" * 60,
    f"{_ARABIC} \u202e(and what follows it) " * 4,
    "<script>alert('title')</script> {{ 7 * 7 }} {% raw %} \"quoted\" & 'apostrophes' \x92\u200b",
)


def _story(number: int) -> Story:
    """A story with something in every field."""
    return Story(
        key=f"url:https://example.org/{number}",
        title=f"A sample story, number {number}",
        url=f"https://example.org/{number}",
        summary="What it is about, in a sentence. And why it matters, in another.",
        line="What it is about, in a sentence.",
        authors=("First Author", "Second Author", "Third Author", "Fourth Author", "Fifth Author"),
        author_count=12,
        published=_AT,
        image=f"https://example.org/{number}.png",
        signals=Signals(upvotes=261, comments=25, stars=3400),
        links=(Link(rel="code", url=f"https://example.org/{number}/code"),),
        mentions=(
            Mention(source="A weblog", url=f"https://weblog.example.org/{number}"),
            Mention(source="Another", url=f"https://another.example.org/{number}"),
        ),
        standing=96,
        again="Told on 2 January; since then its code was published.",
    )


def _issue(newsletter: Newsletter, *sections: Section, preheader: str) -> Issue:
    slot = Slot(newsletter=newsletter.name, schedule="sample", date=_AT.date(), at=_AT)
    return Issue(
        slot=slot, title=newsletter.title, preheader=preheader, sections=sections, language=newsletter.language
    )


def _ordinary(newsletter: Newsletter) -> Issue:
    """Eight stories in two topics, and one story with nothing but a title."""
    bare = Story(key="title:bare", title="A story without anything else", url="")
    sections = (
        Section(topic="first", title="A sample topic", stories=tuple(_story(number) for number in range(1, 5)), more=3),
        Section(topic="second", title="Another topic", stories=(*(_story(number) for number in range(5, 9)), bare)),
    )
    return _issue(newsletter, *sections, preheader="Nine stories in two topics: A sample story, and eight more.")


def _empty(newsletter: Newsletter) -> Issue:
    return _issue(newsletter, preheader="Nothing new today.")


def _arabic(newsletter: Newsletter) -> Issue:
    stories = tuple(replace(_story(number), title=_ARABIC, summary=f"{_ARABIC}. {_ARABIC}.") for number in (1, 2))
    section = Section(topic="first", title="لغات", stories=stories)
    return replace(_issue(newsletter, section, preheader=f"{_ARABIC}."), language="ar")


def _hostile(newsletter: Newsletter) -> Issue:
    """Titles that are too long, cannot be broken, run the other way or look like markup."""
    stories = tuple(
        replace(
            _story(number),
            title=title,
            summary=title,
            authors=(title,) * 3,
            url=f"https://example.org/{number}?a=1&b=%22{'x' * 400}",
        )
        for number, title in enumerate(_HOSTILE_TITLES, start=1)
    )
    section = Section(topic="first", title=_HOSTILE_TITLES[0], stories=stories, more=10_000)
    return _issue(newsletter, section, preheader="What it is about, in too many words.")


SAMPLES: Mapping[str, Callable[[Newsletter], Issue]] = {
    "ordinary": _ordinary,
    "empty": _empty,
    "arabic": _arabic,
    "hostile": _hostile,
}
"""Each makes an issue of a newsletter."""
