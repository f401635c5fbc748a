"""What readers suggest to tell, and what the editor makes of it.

    a link -> its key -> waiting -> approve -> an entry of the newsletter's source of kind `readers`
                                 -> decline

A reader's link is text: it is never fetched. A paper of arXiv is looked up by its id, from arXiv's API, when sources
are collected or when the editor asks; what anything else is called, a reader or the editor says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from newsletter import editor
from newsletter.app import CATCH_UP, App
from newsletter.domains import registrable
from newsletter.errors import Conflict, NotFound, SourceError
from newsletter.model import Entry, Newsletter
from newsletter.render.sanitize import TITLE, clean
from newsletter.sources.clean import safe_url
from newsletter.sources.identity import arxiv_id, identify, normal_doi
from newsletter.store.suggestions import APPROVED, DECLINED, WAITING, Allowed, Answer, Suggestion

# What one reader may suggest, and how much may wait for the editor of a newsletter.
ALLOWED = Allowed(most=5, within=timedelta(days=1), waiting=500)
NOTE = 500  # characters of what a reader says of it
LINK = 2_000  # characters of a link
_LOOKED_UP = "arxiv:"
# Names of one network, or of none: RFC 6761, 6762, 7686, 8375, and what is used so without one.
_NOT_PUBLIC = frozenset(
    {"arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localhost", "onion", "test"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What is suggested: the key of its entry, and its address."""

    key: str
    url: str


def read_link(text: str) -> Link | None:
    """What a reader means: a public web address, an arXiv id or a DOI; None for anything else.

    An address of somebody's own network is none: whoever followed it from a mail would ask their own router.
    """
    said = text.strip()
    if len(said) > LINK:
        return None
    if paper := arxiv_id(said):
        url = f"https://arxiv.org/abs/{paper}"
    elif not said.lower().startswith(("http://", "https://")) and (doi := normal_doi(said)):
        url = safe_url(f"https://doi.org/{doi}")
    else:
        url = safe_url(said)
    if not _is_public((urlsplit(url).hostname or "").rstrip(".")):
        return None
    key, _ = identify(source="", guid="", url=url, title="")
    return Link(key=key, url=url)


def suggest(
    app: App, newsletter: Newsletter, link: Link, *, subscriber: int, title: str, note: str, now: datetime
) -> Answer:
    """Take a reader's suggestion, or say why not. The texts are plain, and clipped to what may be kept."""
    return app.store.suggestions.add(
        newsletter.name,
        link.key,
        subscriber,
        url=link.url,
        title=clean(title, TITLE),
        note=clean(note, NOTE),
        allowed=ALLOWED,
        now=now,
    )


def can_be_looked_up(suggestion: Suggestion) -> bool:
    """Whether arXiv may know it, and was not asked yet or did not answer."""
    return suggestion.entry is None and suggestion.key.startswith(_LOOKED_UP)


def look_up(app: App, newsletter: str, *, now: datetime) -> int:
    """Ask arXiv about what waits and is not known yet; how much is known by that. NotFound, SourceError."""
    source = _source(app, newsletter)
    keys = [one.key for one in app.store.suggestions.list(newsletter, state=WAITING) if can_be_looked_up(one)]
    found = app.look_up(source, keys, now=now) if keys else ()
    app.store.suggestions.fill(found)
    return len(found)


def approve(app: App, number: int, *, title: str = "", who: str, now: datetime) -> Entry:
    """Make an entry of it, which may be in an issue from now on; a draft that waits is composed anew.

    `title` stands in place of what its source or a reader says. NotFound; Conflict for what was approved before, or
    has no title.
    """
    suggestion = app.store.suggestions.get(number)
    source = _source(app, suggestion.newsletter)
    if suggestion.state == APPROVED:
        raise Conflict(f"suggestion {number} was approved by {suggestion.decided_by or 'somebody'} before")
    entry = _entry(app, suggestion, source, title=clean(title, TITLE), now=now)
    # An entry that is there twice is there once: whatever ends this in between, it is approved again.
    app.store.entries.add([entry], now=now)
    app.store.suggestions.decide(number, state=APPROVED, who=who, now=now)
    app.archive.catch_up(most=CATCH_UP)
    editor.renew(app, suggestion.newsletter, now=now)
    return entry


def decline(app: App, number: int, *, who: str, now: datetime) -> Suggestion:
    """Do not tell it. NotFound; Conflict for what was decided before."""
    return app.store.suggestions.decide(number, state=DECLINED, who=who, now=now)


def _is_public(host: str) -> bool:
    """Whether a name may be one of the public's. Browsers read what ends in a number as an address (URL Standard)."""
    last = host.rpartition(".")[2]
    return bool(registrable(host)) and last not in _NOT_PUBLIC and not last[:1].isdigit()


def _entry(app: App, suggestion: Suggestion, source: str, *, title: str, now: datetime) -> Entry:
    known = suggestion.entry
    if can_be_looked_up(suggestion):
        known = _asked(app, suggestion, source, is_needed=not (title or suggestion.title), now=now)
    if known is not None:
        # What the reader called it stands on the editor's form, and is no word of the editor's.
        own = "" if title == suggestion.title else title
        return replace(known, source=source, title=own or known.title)
    title = title or suggestion.title
    if not title:
        raise Conflict(f"nothing is known of {suggestion.url}: give it a title")
    key, aliases = identify(source=source, guid="", url=suggestion.url, title=title)
    return Entry(key=key, aliases=aliases, source=source, guid="", url=suggestion.url, title=title)


def _asked(app: App, suggestion: Suggestion, source: str, *, is_needed: bool, now: datetime) -> Entry | None:
    """What arXiv says of it. Conflict where nothing can be said of it without."""
    try:
        found = app.look_up(source, [suggestion.key], now=now)
    except SourceError as error:
        if not is_needed:  # what is missing is asked for when sources are collected
            return None
        raise Conflict(f"could not look up {suggestion.key}: {error}; try again later, or give it a title") from error
    app.store.suggestions.fill(found)
    entry = next((one for one in found if one.key == suggestion.key), None)
    if entry is None and is_needed:
        raise Conflict(f"arXiv knows no {suggestion.key}: decline it, or give it a title")
    return entry


def _source(app: App, newsletter: str) -> str:
    found = app.newsletter(newsletter).suggestions
    if not found:
        raise NotFound(f"{newsletter} takes no suggestions: none of its sources is of kind readers")
    return found
