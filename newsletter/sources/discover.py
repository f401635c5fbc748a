"""The feeds of a site, from the address somebody has in mind.

    the answer is a feed itself  |  what its page links to, or YouTube's feeds  |  the addresses that sites use mostly

Each is asked only where the one before found nothing, and at most `MOST` requests are made. All but `discover` is pure.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from urllib.parse import parse_qs, urljoin, urlsplit

from newsletter.errors import FetchError, ReadError, SourceError
from newsletter.model import Source
from newsletter.sources import Fetch, Request, Response
from newsletter.sources.clean import plain_text, safe_url, shortened
from newsletter.sources.decode import first_byte, text
from newsletter.sources.feed import FeedKind
from newsletter.sources.guard import shown
from newsletter.sources.identity import canonical_url
from newsletter.sources.tags import start_tags

MOST = 10  # requests for one address

_MOST_LINKS = 5
_READ = 500_000  # bytes of a page; links to feeds stand in its head, YouTube's channel id further down
_LONGEST_TITLE = 200
_TYPES = frozenset(
    {
        *("application/rss+xml", "application/atom+xml", "application/feed+json", "application/rdf+xml"),
        *("application/json", "application/xml", "text/xml", "application/rss", "application/atom"),
    }
)
_WELL_KNOWN = ("feed", "rss", "atom.xml", "index.xml", "feed.xml", "rss.xml", "feed.json")
_LOOKS_LIKE_FEED = re.compile(
    r"/(?:feed|rss|atom)/?$|/(?:feed|rss|atom|index)\.xml$|/feed\.json$|\.(?:rss|atom)$", re.IGNORECASE
)
# The API of WordPress, descriptions of one page for embedding it, and what readers say below articles.
_UNWANTED = re.compile(r"/wp-json/|/oembed|/comments/(?:feed|default)|feed=comments", re.IGNORECASE)
_COMMENTS = re.compile(r"\bcomments? (?:feed|rss)\b|» comments\b", re.IGNORECASE)

_YOUTUBE_HOSTS = frozenset({"youtube.com", "www.youtube.com", "m.youtube.com"})
_YOUTUBE_FEED = "https://www.youtube.com/feeds/videos.xml"
_CHANNEL = re.compile(r"/channel/(UC[\w-]{22})(?![\w-])", re.ASCII)
_CHANNEL_IN_PAGE = re.compile(r'(?:"(?:channelId|externalId)":"|/channel/|channel_id=)(UC[\w-]{22})(?![\w-])', re.ASCII)
_USER = re.compile(r"/user/([\w-]{1,60})(?:/|$)", re.ASCII)
_PLAYLIST = re.compile(r"[\w-]{10,60}", re.ASCII)

_TITLE = re.compile(
    r"<title\b[^>]{0,200}>\s*(?:<!\[CDATA\[)?(.{0,1000}?)(?:\]\]>\s*)?</title>", re.DOTALL | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feed that was found and read: what it calls itself, where it is, how many entries it has now."""

    title: str
    url: str
    entries: int


def discover(url: str, *, fetch: Fetch, now: datetime) -> list[Candidate]:
    """The feeds of the site at an address, the best first. SourceError says why there are none."""
    asked: dict[str, str] = {}  # canonical -> as it is asked for
    first = _fetched(_fresh([url, *youtube_feeds(url)], asked), fetch)
    found = feeds(first, now=now)
    page = next((answer for answer in first if isinstance(answer, Response) and answer.request.url == url), None)
    if not found and page:
        found = feeds(_fetched(islice(_fresh(linked_feeds(page), asked), _MOST_LINKS), fetch), now=now)
    if not found and page:
        found = feeds(_fetched(islice(_fresh(usual_feeds(page.url), asked), MOST - len(asked)), fetch), now=now)
    if not found:
        refused = next((answer for answer in first if isinstance(answer, FetchError)), None)
        looked = ", ".join(map(shown, asked.values()))
        raise refused or SourceError(f"found no feed at {shown(url)}; looked at {looked}")
    return found


def _fresh(urls: Iterable[str], asked: dict[str, str]) -> Iterable[str]:
    for url in urls:
        if canonical_url(url) not in asked:
            asked[canonical_url(url)] = url
            yield url


def _fetched(urls: Iterable[str], fetch: Fetch) -> list[Response | FetchError]:
    """The answers in the order of the addresses: the fetch gives them as they come."""
    requests = [Request(url=url) for url in urls]
    answers = dict(fetch(requests)) if requests else {}
    return [answers[request] for request in requests]


# --- what an answer is ----------------------------------------------------------------------------------------------


def feeds(answers: Iterable[Response | FetchError], *, now: datetime) -> list[Candidate]:
    """Those answers that are feeds, each address once, in their order; empty ones come last."""
    judged = (candidate(answer, now=now) for answer in answers if isinstance(answer, Response))
    found = {canonical_url(one.url): one for one in judged if one}
    return sorted(found.values(), key=lambda one: one.entries == 0)


def candidate(response: Response, *, now: datetime) -> Candidate | None:
    """The feed that an answer is; None where it is none."""
    try:
        entries = len(FeedKind().read(response, Source(name="found", kind="feed"), now=now))
    except ReadError:
        return None
    return Candidate(title=shortened(_title(response.body), _LONGEST_TITLE), url=response.url, entries=entries)


def _title(body: bytes) -> str:
    if first_byte(body) == b"{":
        told = json.loads(body.decode("utf-8-sig", "replace")).get("title")
        return plain_text(told) if isinstance(told, str) else ""
    told = _TITLE.search(text(body[:_READ]))
    return plain_text(html.unescape(told[1])) if told else ""


# --- where feeds may be ---------------------------------------------------------------------------------------------


def linked_feeds(page: Response) -> list[str]:
    """The addresses of feeds that an HTML page names: YouTube's, those it declares, those it links to; best first."""
    markup = text(page.body[:_READ])
    base = page.url
    declared, linked = [], []
    for name, attributes in start_tags(markup, ["base", "link", "a"]):
        told = {key: html.unescape(value) for key, value in attributes.items()}
        if name == "base":
            base = safe_url(told.get("href", ""), base=page.url) or base
        address = safe_url(told.get("href", ""), base=base)
        if not address or _UNWANTED.search(address):
            continue
        if name == "link" and _is_feed_link(told):
            declared.append(address)
        elif name == "a" and _LOOKS_LIKE_FEED.search(urlsplit(address).path):
            linked.append(address)
    channel = _CHANNEL_IN_PAGE.search(markup) if _is_youtube(page.url) else None
    of_channel = [f"{_YOUTUBE_FEED}?channel_id={channel[1]}"] if channel else []
    return list(dict.fromkeys([*of_channel, *declared, *linked]))


def _is_feed_link(link: dict[str, str]) -> bool:
    kind = link.get("type", "").partition(";")[0].strip().lower()
    relations = link.get("rel", "").lower().split()
    is_alternate = "alternate" in relations and "stylesheet" not in relations
    return is_alternate and kind in _TYPES and not _COMMENTS.search(link.get("title", ""))


def youtube_feeds(url: str) -> list[str]:
    """The feed of a YouTube channel, playlist or user, where the address names one; none elsewhere."""
    if not _is_youtube(url):
        return []
    parts = urlsplit(url)
    lists = parse_qs(parts.query).get("list", [])
    channel, user = _CHANNEL.match(parts.path), _USER.match(parts.path)
    return [
        *(f"{_YOUTUBE_FEED}?playlist_id={name}" for name in lists[:1] if _PLAYLIST.fullmatch(name)),
        *([f"{_YOUTUBE_FEED}?channel_id={channel[1]}"] if channel else []),
        *([f"{_YOUTUBE_FEED}?user={user[1]}"] if user else []),
    ]


def _is_youtube(url: str) -> bool:
    try:
        return urlsplit(url).hostname in _YOUTUBE_HOSTS
    except ValueError:
        return False


def usual_feeds(url: str) -> Sequence[str]:
    """The addresses under which most sites have a feed: beside a page first, then at the top of its site."""
    top = urljoin(url, "/")
    beside = urljoin(url, urlsplit(url).path.rstrip("/") + "/")
    near = [urljoin(beside, name) for name in _WELL_KNOWN[:1] if beside != top]
    return [*near, *(urljoin(top, name) for name in _WELL_KNOWN)]
