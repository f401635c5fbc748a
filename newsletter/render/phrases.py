"""What a reader is told about a story or an issue, in the reader's language. Templates use these as filters."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.language import Language
from newsletter.model import Section, Signals
from newsletter.render.words import clip

REST = "more"  # the name of the section of what fits no topic
_SUBJECT = 78  # RFC 5322 section 2.1.1: what a line should not exceed


def counted(language: Language, number: int, noun: str) -> str:
    """`1 paper`, `12 stories`, `4 topics`: the nouns that newsletters and templates use."""
    match noun:
        case "paper":
            return language.ngettext("%(count)s paper", "%(count)s papers", number)
        case "story":
            return language.ngettext("%(count)s story", "%(count)s stories", number)
        case "topic":
            return language.ngettext("%(count)s topic", "%(count)s topics", number)
    raise ValueError(f"no such noun: {noun}; there are paper, story and topic")


def more_counted(language: Language, number: int, noun: str) -> str:
    """`12 more papers on the web`."""
    if noun == "paper":
        return language.ngettext("%(count)s more paper on the web", "%(count)s more papers on the web", number)
    return language.ngettext("%(count)s more story on the web", "%(count)s more stories on the web", number)


def more_in(language: Language, number: int, topic: str) -> str:
    """`3 more in Vision on the web`."""
    return language.ngettext(
        "%(count)s more in %(topic)s on the web", "%(count)s more in %(topic)s on the web", number, topic=topic
    )


def liked(language: Language, readers: int) -> str:
    """`liked by 3 readers`."""
    return language.ngettext("liked by %(count)s reader", "liked by %(count)s readers", readers)


def names(language: Language, authors: Sequence[str], count: int = 0, *, shown: int = 3) -> str:
    """`A`, `A and B`, `A, B, C and D`, `A, B, C and 12 more`.

    `count` is the number of all authors where the source gives more than it names. With no names at all the number
    alone is told, and nothing when that is unknown too.
    """
    total = max(count, len(authors))
    if not authors:
        return language.ngettext("%(count)s author", "%(count)s authors", total) if total else ""
    if total == len(authors) <= shown + 1:  # "and 1 more" would take the place of the name itself
        return language.listed(authors)
    first = authors[:shown]
    return language.listed([*first, language.ngettext("%(count)s more", "%(count)s more", total - len(first))])


def signals(language: Language, counts: Signals) -> str:
    """`▲ 261 upvotes · 25 comments · ★ 3.4k stars`; what is zero or unknown is left out."""
    upvotes, comments, stars = (max(0, number or 0) for number in (counts.upvotes, counts.comments, counts.stars))
    parts = []
    if upvotes:
        short = language.compact(upvotes)
        parts.append(language.ngettext("▲ %(short)s upvote", "▲ %(short)s upvotes", upvotes, short=short))
    if comments:
        short = language.compact(comments)
        parts.append(language.ngettext("%(short)s comment", "%(short)s comments", comments, short=short))
    if stars:
        short = language.compact(stars)
        parts.append(language.ngettext("★ %(short)s star", "★ %(short)s stars", stars, short=short))
    return " · ".join(parts)


def label(language: Language, rel: str) -> str:
    """The words of a link to a story's code, project page, PDF or discussion; other kinds are their own words."""
    known = {
        "code": language.gettext("Code"),
        "project": language.gettext("Project page"),
        "pdf": language.gettext("PDF"),
        "discussion": language.gettext("Discussion"),
        "related": language.gettext("Related"),
    }
    return known.get(rel) or rel.capitalize() or language.gettext("Link")


def rest(language: Language, noun: str) -> str:
    """`More papers`: the title of the section of what fits no topic."""
    return language.gettext("More papers") if noun == "paper" else language.gettext("More stories")


def preheader(language: Language, sections: Sequence[Section], noun: str) -> str:
    """`12 papers: Vision, Systems, Robots`: what a mail client shows beside the subject; the topics with most of it."""
    count = sum(len(section.stories) for section in sections)
    if not count:
        return language.gettext("Nothing new today.")
    busiest = sorted((section for section in sections if section.topic != REST), key=lambda s: -len(s.stories))
    topics = ", ".join(section.title for section in busiest[:3])
    much = counted(language, count, noun)
    return f"{much}: {topics}" if topics else much


def subject(language: Language, newsletter: str, titles: Sequence[str]) -> str:
    """`Daily Papers: Sparse attention at a third of the cost and 11 more`, at most 78 characters.

    `titles` are those of the stories, best first. The first is cut at a word; where the newsletter's name leaves it
    too little room, the From line alone tells the name.
    """
    if not titles:
        room = _SUBJECT - len(language.gettext("%(newsletter)s: nothing new", newsletter=""))
        return language.gettext("%(newsletter)s: nothing new", newsletter=clip(newsletter, room))

    def told(title: str) -> str:
        others = len(titles) - 1
        if not others:
            return title
        return language.ngettext("%(title)s and %(count)s more", "%(title)s and %(count)s more", others, title=title)

    head = f"{newsletter}: "
    if len(head) + len(told("")) > _SUBJECT // 2:
        head = ""
    return head + told(clip(titles[0], _SUBJECT - len(head) - len(told(""))))
