"""Text and addresses from outside, made fit to be shown: nothing here knows HTML, Jinja escapes."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import quote, urlsplit

from newsletter.model import Issue, Link, Mention, Newsletter, Section, Story
from newsletter.render.words import clip

TITLE = 300  # characters
NAME = 80
SUMMARY = 4000
PARAGRAPHS = 12  # of an intro
URL = 2000
AUTHORS = 12  # names kept; more are counted, not named

# One C1 control makes Gmail show "Message clipped"; a lone surrogate cannot be encoded at all. Embeddings, overrides
# and isolates (U+202A-202E, U+2066-2069) are dropped since an unclosed one turns the text after it; the marks that
# Arabic and Hebrew titles need (U+200E, U+200F, U+061C) and joiners stay.
_UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_SPACE = re.compile("[ \t\n\r\x0b\x0c\x85\u2028\u2029]+")  # a no-break space is not among them: it was meant
_NOT_IN_URL = re.compile("[\x00-\x20\x7f-\xa0\"'<>\\\\^`{|}\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ud800-\udfff]")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")


def clean(text: str, limit: int) -> str:
    """The text on one line, without control characters and bidirectional overrides, at most `limit` characters."""
    head = text[: limit * 4]  # what is cut off anyway need not be read
    return clip(_SPACE.sub(" ", _UNWANTED.sub("", head)).strip(" "), limit)


def web_address(url: str) -> str:
    """The URL if a browser may follow it (http or https, a host, at most 2,000 characters), otherwise empty.

    Characters that no URL holds (RFC 3986 section 2) are percent-encoded, so that it is one word in plain text too.
    """
    address = _NOT_IN_URL.sub(lambda match: quote(match[0], errors="replace"), url.strip())
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in {"http", "https"} and parts.hostname and len(address) <= URL else ""


def sanitize(issue: Issue) -> Issue:
    """The same issue with every text cleaned and clipped and every address that is no web address dropped."""
    return replace(
        issue,
        title=clean(issue.title, TITLE),
        preheader=clean(issue.preheader, TITLE),
        headline=clean(issue.headline, TITLE),
        intro=tuple(text for text in (clean(text, SUMMARY) for text in issue.intro[:PARAGRAPHS]) if text),
        language=issue.language if _LANGUAGE.fullmatch(issue.language) else "en",
        sections=tuple(_section(section) for section in issue.sections),
    )


def sanitize_newsletter(newsletter: Newsletter) -> Newsletter:
    """The same newsletter with the texts that a template shows cleaned and clipped."""
    return replace(newsletter, title=clean(newsletter.title, NAME), address=clean(newsletter.address, TITLE))


def _section(section: Section) -> Section:
    return replace(
        section, title=clean(section.title, NAME), stories=tuple(sanitize_story(story) for story in section.stories)
    )


def sanitize_story(story: Story) -> Story:
    """The same story with every text cleaned and clipped and every address that is no web address dropped."""
    url = web_address(story.url)
    links = (Link(rel=clean(link.rel, NAME), url=web_address(link.url)) for link in story.links)
    mentions = (Mention(source=clean(mention.source, NAME), url=web_address(mention.url)) for mention in story.mentions)
    return replace(
        story,
        title=clean(story.title, TITLE) or url or "Untitled",
        url=url,
        summary=clean(story.summary, SUMMARY),
        tldr=clean(story.tldr, SUMMARY),
        brief=clean(story.brief, SUMMARY),
        line=clean(story.line, SUMMARY),
        authors=_texts(story.authors),
        author_count=max(story.author_count, len(story.authors)),
        tags=_texts(story.tags),
        image=image if (image := web_address(story.image)).startswith("https://") else "",
        links=tuple(link for link in links if link.url and link.url != url)[:AUTHORS],
        mentions=tuple(mentions)[:AUTHORS],
        why=_texts(story.why),
        again=clean(story.again, TITLE),
        topic=clean(story.topic, NAME),
        organisations=_texts(story.organisations),
    )


def _texts(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(text for text in (clean(text, NAME) for text in texts[:AUTHORS]) if text)
