# ruff: noqa: INP001, S311 - not a package; what is random here is prose
"""Many feeds on this machine, each on an address of its own and with entries of its own.

    http://127.1.0.0:PORT/0      RSS, Atom or JSON Feed with 30 entries, 25 to 135 kB, every time the same bytes;
    http://127.1.0.1:PORT/1      gzip for a client that takes it, 304 for one that has it
    ...

The server is a process of its own, so that what it costs is not counted. It needs Linux: only there is the whole of
127.0.0.0/8 this machine.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
import multiprocessing
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from enum import IntEnum
from functools import cache
from ipaddress import IPv4Address
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from random import Random
from xml.sax.saxutils import escape

import uvloop
from aiohttp import web

ENTRIES = 30  # in every feed
PROCESSES = multiprocessing.get_context("spawn")  # nothing of this process in the others

_FIRST_ADDRESS = IPv4Address("127.1.0.0")
_NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)
_LAST_MODIFIED = format_datetime(_NEWEST, usegmt=True)


class Habit(IntEnum):
    """How the server answers."""

    WHOLE = 0
    SHORT = 1  # one entry in place of 30, under the same validators: a quick way to be known
    FORGETFUL = 2  # no ETag and no Last-Modified, so that nothing but the same bytes tells that nothing changed


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedServer:
    """Feeds that are being served; there are as many as anybody asks for."""

    port: int
    state: Synchronized[int] = field(repr=False)

    def url(self, number: int) -> str:
        """The address of one feed."""
        return f"http://{_FIRST_ADDRESS + number}:{self.port}/{number}"

    def become(self, habit: Habit) -> None:
        """Answer every request from now on in another way."""
        self.state.value = habit


@contextmanager
def open_server() -> Iterator[FeedServer]:
    """Serve on a free port until the end of the block."""
    here, there = PROCESSES.Pipe()
    state = PROCESSES.Value("i", Habit.WHOLE)
    process = PROCESSES.Process(target=_run, args=(there, state), daemon=True)
    process.start()
    there.close()
    try:
        yield FeedServer(port=here.recv(), state=state)
    finally:
        process.terminate()
        process.join()


def _run(parent: Connection, state: Synchronized[int]) -> None:
    uvloop.run(_serve(parent, state))


async def _serve(parent: Connection, state: Synchronized[int]) -> None:
    async def answer(request: web.BaseRequest) -> web.Response:
        return _answer(request, Habit(state.value))

    runner = web.ServerRunner(web.Server(answer, access_log=None))
    await runner.setup()
    with _listener() as listener:
        await web.SockSite(runner, listener, backlog=1024).start()
        parent.send(listener.getsockname()[1])
        await asyncio.Event().wait()


def _listener() -> socket.socket:
    """A socket that hears every address of the loopback interface, and no other interface."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    listener.bind(("0.0.0.0", 0))  # noqa: S104 - on `lo`
    return listener


def _answer(request: web.BaseRequest, habit: Habit) -> web.Response:
    number = int(request.path.removeprefix("/"))
    validators = {"ETag": f'"{number}-1"', "Last-Modified": _LAST_MODIFIED} if habit != Habit.FORGETFUL else {}
    if validators and request.headers.get("If-None-Match") == validators["ETag"]:
        return web.Response(status=304, headers=validators)
    content_type, body = feed(number, entries=1 if habit == Habit.SHORT else ENTRIES)
    headers = {**validators, "Content-Type": content_type}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        return web.Response(body=gzip.compress(body, 4, mtime=0), headers={**headers, "Content-Encoding": "gzip"})
    return web.Response(body=body, headers=headers)


# --- what stands in the feeds ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Post:
    title: str
    url: str
    published: datetime
    html: str


def feed(number: int, *, entries: int = ENTRIES) -> tuple[str, bytes]:
    """The content type and the body of a feed: of ten, six are RSS, three Atom and one is a JSON Feed."""
    chance = Random(number)
    home = f"https://feed{number}.example.org/"
    length = chance.randint(1, 7)  # paragraphs of each post
    posts = [_post(chance, home, place, length) for place in range(entries)]
    content_type, write = _FORMATS[number % len(_FORMATS)]
    return content_type, write(home, posts).encode()


def _post(chance: Random, home: str, place: int, length: int) -> _Post:
    title = _phrase(chance, 8)
    return _Post(
        title=title.capitalize(),
        url=f"{home}2026/11/{title.replace(' ', '-')}",
        published=_NEWEST - timedelta(hours=8 * place + chance.random()),
        html="\n".join(chance.choices(_paragraphs(), k=length)),
    )


def _rss(home: str, posts: Sequence[_Post]) -> str:
    items = "".join(
        f"<item><title>{post.title}</title><link>{post.url}</link><guid isPermaLink='true'>{post.url}</guid>"
        f"<pubDate>{format_datetime(post.published)}</pubDate><dc:creator>Robin Author</dc:creator>"
        f"<category>notes</category><content:encoded><![CDATA[{post.html}]]></content:encoded></item>\n"
        for post in posts
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Notes</title><link>{home}</link><description>Notes</description>\n{items}</channel></rss>"
    )


def _atom(home: str, posts: Sequence[_Post]) -> str:
    entries = "".join(
        f'<entry><title>{post.title}</title><link href="{post.url}"/><id>{post.url}</id>'
        f"<published>{post.published.isoformat()}</published><updated>{post.published.isoformat()}</updated>"
        f'<content type="html">{escape(post.html)}</content></entry>\n'
        for post in posts
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom"><title>Notes</title>'
        f'<link href="{home}"/><id>{home}</id><author><name>Robin Author</name></author>'
        f"<updated>{_NEWEST.isoformat()}</updated>\n{entries}</feed>"
    )


def _json(home: str, posts: Sequence[_Post]) -> str:
    items = [
        {
            "id": post.url,
            "url": post.url,
            "title": post.title,
            "content_html": post.html,
            "date_published": post.published.isoformat(),
        }
        for post in posts
    ]
    about = {"version": "https://jsonfeed.org/version/1.1", "title": "Notes", "home_page_url": home}
    return json.dumps({**about, "items": items})


_Format = tuple[str, Callable[[str, Sequence[_Post]], str]]
_RSS: _Format = ("application/rss+xml; charset=utf-8", _rss)
_ATOM: _Format = ("application/atom+xml; charset=utf-8", _atom)
_JSON: _Format = ("application/feed+json", _json)
_FORMATS = (_RSS, _RSS, _ATOM, _RSS, _RSS, _ATOM, _RSS, _RSS, _ATOM, _JSON)


# --- prose, as dense in markup as that of real feeds ----------------------------------------------------------------


@cache
def _paragraphs() -> Sequence[str]:
    """A stock of paragraphs, lists and pictures of some 500 bytes: nine elements and seven attributes a kilobyte."""
    chance = Random(0)
    write = (_prose, _prose, _prose, _list, _picture)
    return [write[number % len(write)](chance) for number in range(2000)]


def _prose(chance: Random) -> str:
    return (
        f"<p>{_phrase(chance, 30).capitalize()} <strong>{_phrase(chance, 2)}</strong>, {_link(chance)} and "
        f"<em>{_phrase(chance, 3)}</em> {_phrase(chance, 45)}.</p>"
    )


def _list(chance: Random) -> str:
    return f"<ul>{''.join(f'<li>{_link(chance)} {_phrase(chance, 12)}</li>' for _ in range(4))}</ul>"


def _picture(chance: Random) -> str:
    return (
        f'<figure><img src="/media/{_phrase(chance, 1)}.jpg" alt="{_phrase(chance, 5)}" width="1024" height="576" '
        f'loading="lazy"/><figcaption>{_phrase(chance, 12)}</figcaption></figure>'
    )


def _link(chance: Random) -> str:
    return f'<a href="https://www.example.com/{_phrase(chance, 1)}" class="link">{_phrase(chance, 3)}</a>'


def _phrase(chance: Random, words: int) -> str:
    vocabulary, weights = _vocabulary()
    return " ".join(chance.choices(vocabulary, cum_weights=weights, k=words))


@cache
def _vocabulary() -> tuple[Sequence[str], Sequence[float]]:
    """Words of one to four syllables, and how frequent they are: the n-th is n times rarer than the first (Zipf)."""
    chance = Random(1)
    syllables = [first + vowel for first in "bcdfghklmnprstvw" for vowel in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(3000)]
    return words, list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))
