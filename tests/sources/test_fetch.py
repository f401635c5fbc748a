from __future__ import annotations

import dataclasses
import gzip
import itertools
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import FetchError, StoreError
from newsletter.sources import Fetch, Request, Response
from newsletter.sources.courtesy import Pace
from newsletter.sources.fetch import open_fetch
from newsletter.sources.turns import SharedTurns
from newsletter.store import Store

LOOPBACK = ip_network("127.0.0.1/32")
Page = Callable[[BaseHTTPRequestHandler], object]


@dataclass
class Site:
    """A web server on loopback: `pages` by path, `asked` in order, `done` ends what never ends by itself."""

    url: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)
    server: Any = None


def answer(body: bytes = b"", *, status: int = 200, **headers: str) -> Page:
    """A page that answers at once; header names are written with underscores."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return page


@pytest.fixture
def site() -> Iterator[Site]:
    """A server of its own for each test."""
    running = Site(url="")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append((self.path, dict(self.headers.items())))
            running.pages[self.path](self)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        running.url = f"http://127.0.0.1:{server.server_address[1]}"
        running.server = server
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.done.set()
        server.shutdown()
        thread.join()


def fetcher(*, timeout: float = 30.0, limit: int = 2**20, allow: tuple[Any, ...] = (LOOPBACK,)) -> Fetch:
    """A fetch that may reach the site, and whose limits a test may narrow."""
    return open_fetch(allow=allow, user_agent="newsletter-tests", timeout=timeout, limit=limit)


def one(request: Request, fetch: Fetch | None = None) -> Response | FetchError:
    """What one request gives."""
    ((asked, got),) = (fetch or fetcher())([request])
    assert asked is request
    return got


def fetched(request: Request, fetch: Fetch | None = None) -> Response:
    """The response to a request that must succeed."""
    got = one(request, fetch)
    assert isinstance(got, Response), got
    return got


def failed(request: Request, fetch: Fetch | None = None) -> FetchError:
    """The error of a request that must fail."""
    got = one(request, fetch)
    assert isinstance(got, FetchError), got
    return got


def test_an_answer_carries_its_bytes_validators_and_final_address(site: Site) -> None:
    """A 200 becomes a Response with body, content type, validators and the address after redirects."""
    site.pages["/old"] = answer(status=301, Location="/feed")
    site.pages["/feed"] = answer(
        b"<rss/>", Content_Type="text/xml", ETag='"a"', Last_Modified="Thu, 01 Jan 2026 00:00:00 GMT"
    )
    got = fetched(Request(url=site.url + "/old"))
    assert (got.body, got.content_type, got.status, got.unchanged) == (b"<rss/>", "text/xml", 200, False)
    assert (got.etag, got.last_modified) == ('"a"', "Thu, 01 Jan 2026 00:00:00 GMT")
    assert got.url == site.url + "/feed"
    assert site.asked[0][1]["User-Agent"] == "newsletter-tests"


def test_validators_are_sent_back_and_304_means_unchanged(site: Site) -> None:
    """A conditional GET that is answered 304 gives `unchanged` and keeps the validators it was asked with."""
    site.pages["/feed"] = answer(status=304)
    got = fetched(Request(url=site.url + "/feed", etag='"a"', last_modified="Thu, 01 Jan 2026 00:00:00 GMT"))
    assert (got.unchanged, got.body, got.etag) == (True, b"", '"a"')
    assert site.asked[0][1]["If-None-Match"] == '"a"'
    assert site.asked[0][1]["If-Modified-Since"] == "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize("etag", ['"a"\r\nX-Injected: 1', '"a\x00"', '"\x7f"', '"é"', '"' + "a" * 2000 + '"'])
def test_a_validator_that_is_no_header_value_is_not_sent(site: Site, etag: str) -> None:
    """Validators with line breaks, controls, other alphabets or absurd length are dropped, not sent."""
    site.pages["/feed"] = answer(b"x")
    assert fetched(Request(url=site.url + "/feed", etag=etag, last_modified=etag)).body == b"x"
    assert not {"If-None-Match", "If-Modified-Since", "X-Injected"} & set(site.asked[0][1])


def test_a_304_that_was_not_asked_for_is_an_error(site: Site) -> None:
    """304 to an unconditional request is no answer: there is nothing it could be unchanged from."""
    site.pages["/feed"] = answer(status=304)
    assert failed(Request(url=site.url + "/feed")).status == 304


def test_a_status_that_is_no_success_is_an_error_with_that_status(site: Site) -> None:
    """A 404 names the address, without its query, and the status."""
    site.pages["/feed?token=secret"] = answer(status=404)
    error = failed(Request(url=site.url + "/feed?token=secret"))
    assert error.status == 404
    assert str(error) == f"could not fetch {site.url}/feed: 404 Not Found"


def test_the_wait_a_server_asks_for_is_kept(site: Site) -> None:
    """429 with Retry-After gives the seconds to wait."""
    site.pages["/feed"] = answer(status=429, Retry_After="120")
    error = failed(Request(url=site.url + "/feed"))
    assert (error.status, error.retry_after) == (429, 120.0)
    assert "retry after 120 s" in str(error)


def test_a_redirect_loop_ends(site: Site) -> None:
    """No more than five redirects are followed."""
    site.pages["/feed"] = answer(status=302, Location="/feed")
    assert "more than 5 redirects" in str(failed(Request(url=site.url + "/feed")))
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("http://user:secret@127.0.0.1/", "user name or password"),
        ("http://[::1", "not a valid address"),
    ],
)
def test_a_redirect_is_judged_like_an_address(site: Site, target: str, reason: str) -> None:
    """Redirects to other schemes, with passwords or to nonsense are not followed, and passwords not repeated."""
    site.pages["/feed"] = answer(status=302, Location=target)
    error = str(failed(Request(url=site.url + "/feed")))
    assert reason in error
    assert "secret" not in error


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://example.org/", "http://user@example.org/", "http:///feed", "http://[::1", "feed.xml",
     "http://example.org:99999/", "http://" + "a" * 70 + ".invalid/", "http://a\x00b.invalid/", ""],
)  # fmt: skip
def test_an_address_that_cannot_be_fetched_is_a_value_not_an_exception(url: str) -> None:
    """Bad addresses become FetchErrors beside their request."""
    assert str(failed(Request(url=url))).startswith("could not fetch")


# --- the guard ------------------------------------------------------------------------------------------------------

_connects: list[object] = []


def _note_connects(event: str, arguments: tuple[object, ...]) -> None:
    """Note every connect. None leaves this machine even when the guard is broken: see tests/conftest.py."""
    if event == "socket.connect":
        _connects.append(arguments[1])


@pytest.fixture
def connects() -> list[object]:
    """Every address that this process connected to since the test began."""
    if _note_connects not in _hooked:
        sys.addaudithook(_note_connects)  # for the life of the process: Python knows no way to remove one
        _hooked.append(_note_connects)
    _connects.clear()
    return _connects


_hooked: list[object] = []


def test_the_hook_sees_connections(site: Site, connects: list[object]) -> None:
    """An allowed fetch is seen by the hook that the following tests rely on."""
    site.pages["/feed"] = answer(b"x")
    fetched(Request(url=site.url + "/feed"))
    assert ("127.0.0.1", site.server.server_address[1]) in connects


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "0x7f.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]",
     "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "10.0.0.1", "169.254.169.254", "192.0.0.8", "100.64.0.1", "224.0.0.1",
     "240.0.0.1", "[fe80::1]", "[fd00::1]", "[::]"],
)  # fmt: skip
def test_nothing_private_is_connected_to(site: Site, connects: list[object], host: str) -> None:
    """A private address, however it is spelled, is refused before any connect, and the message says what to do."""
    port = site.server.server_address[1]
    error = str(failed(Request(url=f"http://{host}:{port}/feed"), fetcher(allow=())))
    assert connects == []
    assert site.asked == []
    assert "is a private address; add its network to NEWSLETTER_ALLOW_NETWORKS to connect to it" in error


@pytest.mark.parametrize("host", ["127.1", "0", "2130706433", "017700000001"])
def test_shorthand_for_a_private_address_is_not_connected_to(site: Site, connects: list[object], host: str) -> None:
    """Numbers that the system would take for an address lead nowhere."""
    failed(Request(url=f"http://{host}:{site.server.server_address[1]}/feed"), fetcher(allow=()))
    assert connects == []


def test_a_redirect_to_a_private_address_is_refused_before_any_connect(site: Site, connects: list[object]) -> None:
    """Every hop is judged: an allowed server cannot lead to one that is not."""
    site.pages["/feed"] = answer(status=302, Location="http://127.0.0.2:9/")
    error = str(failed(Request(url=site.url + "/feed")))
    assert "127.0.0.2 is a private address; add its network to NEWSLETTER_ALLOW_NETWORKS to connect to it" in error
    assert {address[0] for address in connects if isinstance(address, tuple)} == {"127.0.0.1"}


def test_the_environments_proxy_is_not_asked(
    site: Site, monkeypatch: pytest.MonkeyPatch, connects: list[object]
) -> None:
    """A proxy from the environment would connect where the guard cannot see, so it is ignored."""
    monkeypatch.setenv("http_proxy", site.url)
    failed(Request(url="http://127.0.0.3:9/"))
    assert site.asked == []


# --- limits ---------------------------------------------------------------------------------------------------------


def test_a_server_that_never_finishes_meets_the_deadline(site: Site) -> None:
    """The deadline is for the whole answer, so a server that sends a byte now and then cannot hold us."""

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not site.done.wait(0.02):
            try:
                handler.wfile.write(b" ")
            except OSError:
                return

    site.pages["/feed"] = drip
    assert "no whole answer within 0.2 s" in str(failed(Request(url=site.url + "/feed"), fetcher(timeout=0.2)))


def test_a_body_larger_than_the_limit_is_refused(site: Site) -> None:
    """The limit counts bytes after decompression: 4 MB of zeros in 4 kB of gzip do not fit in 1 MiB."""
    site.pages["/bomb"] = answer(gzip.compress(bytes(4_000_000)), Content_Encoding="gzip")
    site.pages["/fits"] = answer(gzip.compress(bytes(900_000)), Content_Encoding="gzip")
    assert "larger than 1 MiB" in str(failed(Request(url=site.url + "/bomb")))
    assert len(fetched(Request(url=site.url + "/fits")).body) == 900_000


def test_a_body_that_is_cut_off_is_an_error(site: Site) -> None:
    """Half an answer is no answer: the feed in it would seem to have lost its entries."""

    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100")
        handler.end_headers()
        handler.wfile.write(b"half")

    site.pages["/feed"] = cut
    assert "cut off" in str(failed(Request(url=site.url + "/feed")))


def test_what_is_not_http_is_an_error(site: Site) -> None:
    """A server that talks something else gives a FetchError, not an exception."""
    site.pages["/feed"] = lambda handler: handler.wfile.write(b"220 mail.example.org ESMTP\r\n")
    assert "could not fetch" in str(failed(Request(url=site.url + "/feed")))


def test_a_connection_that_is_not_safe_is_an_error(site: Site) -> None:
    """An https address whose server does not speak TLS is not fetched some other way."""
    error = str(failed(Request(url=site.url.replace("http:", "https:") + "/feed")))
    assert "no safe connection to 127.0.0.1" in error
    assert site.asked == []


def test_nobody_listening_is_an_error() -> None:
    """A refused connection names host and port."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        assert f"no connection to 127.0.0.1 port {port}: connection refused" in str(
            failed(Request(url=f"http://127.0.0.1:{port}/"))
        )


# --- many at once ---------------------------------------------------------------------------------------------------


def test_answers_come_as_they_are_ready(site: Site) -> None:
    """A server that never answers does not hold back the answers of others."""
    site.pages["/slow"] = lambda _: site.done.wait()
    site.pages["/feed"] = answer(b"x")
    slow = Request(url=site.url.replace("127.0.0.1", "localhost") + "/slow")
    quick = Request(url=site.url + "/feed")
    answers = fetcher(allow=(LOOPBACK, ip_network("::1/128")))([slow, quick])
    asked, got = next(answers)
    answers.close()  # type: ignore[attr-defined]  # a generator, as the caller's `for` loop would close it
    assert asked is quick
    assert isinstance(got, Response)


def test_one_host_is_asked_one_thing_at_a_time(site: Site) -> None:
    """Two requests to one host are never under way together."""
    together: list[int] = []
    running = [0]

    def page(handler: BaseHTTPRequestHandler) -> None:
        running[0] += 1
        together.append(running[0])
        site.done.wait(0.005)
        running[0] -= 1
        answer(b"x")(handler)

    requests = [Request(url=f"{site.url}/{number}") for number in range(12)]
    site.pages.update({f"/{number}": page for number in range(12)})
    answers = dict(fetcher()(requests))
    assert set(answers) == set(requests)
    assert max(together) == 1


def test_more_hosts_than_slots_are_all_answered() -> None:
    """A slot is free again as soon as its answer was taken."""
    requests = [Request(url=f"http://127.0.1.{number}:9/") for number in range(60)]
    answers = dict(fetcher(allow=())(requests))
    assert set(answers) == set(requests)


def test_a_caller_that_stops_early_leaves_nothing_behind(site: Site) -> None:
    """Closing the iterator ends what is under way: no thread, no open connection."""
    site.pages["/feed"] = answer(b"x")
    site.pages["/slow"] = lambda _: site.done.wait()
    requests = [Request(url=f"{site.url}/feed"), *(Request(url=f"{site.url}/slow") for _ in range(5))]
    answers = fetcher()(requests)
    next(answers)
    answers.close()  # type: ignore[attr-defined]  # see above
    assert [thread.name for thread in threading.enumerate() if thread.name.startswith("fetch")] == []


def test_nothing_to_fetch_is_nothing() -> None:
    """No requests, no answers."""
    assert list(fetcher()([])) == []


# --- turns ----------------------------------------------------------------------------------------------------------

PAUSE = 0.05  # seconds
PACE = Pace(domain="example.org", least=PAUSE, most=PAUSE)


def paced(pace: Pace, turns: SharedTurns | None = None) -> Fetch:
    """A fetch for which every address belongs to one domain."""
    return open_fetch(allow=(LOOPBACK,), user_agent="newsletter-tests", turns=turns, paces=lambda _: pace)


def noting(times: list[tuple[float, float]]) -> Page:
    """A page that notes when it was asked and when it had answered."""

    def page(handler: BaseHTTPRequestHandler) -> None:
        began = time.monotonic()
        answer(b"x")(handler)
        times.append((began, time.monotonic()))

    return page


def test_a_domain_gets_a_pause_after_each_answer(site: Site) -> None:
    """Requests to one domain are apart by its pace, those of a second call too."""
    times: list[tuple[float, float]] = []
    site.pages.update({f"/{number}": noting(times) for number in range(3)})
    fetch = paced(PACE)
    list(fetch([Request(url=f"{site.url}/{number}") for number in (0, 1)]))
    list(fetch([Request(url=f"{site.url}/2")]))

    assert len(times) == 3
    assert all(later[0] - earlier[0] >= PAUSE for earlier, later in itertools.pairwise(times))


def test_processes_share_the_turns_of_a_domain_that_counts_them_as_one(site: Site, store: Store) -> None:
    """Two that know nothing of each other but the database never ask together, and keep the pause between them."""
    times: list[tuple[float, float]] = []
    site.pages.update({f"/{number}": noting(times) for number in range(4)})
    shared = dataclasses.replace(PACE, shared=True)

    def ask(first: int) -> None:
        fetch = paced(shared, store.turns)
        list(fetch([Request(url=f"{site.url}/{number}") for number in (first, first + 1)]))

    threads = [threading.Thread(target=ask, args=(first,)) for first in (0, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(times) == 4
    assert all(later[0] - earlier[0] >= PAUSE for earlier, later in itertools.pairwise(sorted(times)))


class NoTurns:
    """Turns of a database that is down."""

    def take(self, name: str, /, *, until: datetime, now: datetime) -> datetime | None:
        """Fails."""
        raise StoreError("the database failed: no route to it")

    def pass_on(self, name: str, /, *, free_at: datetime) -> None:
        """Is never asked."""
        raise AssertionError


def test_turns_that_cannot_be_had_are_a_failed_answer(site: Site) -> None:
    """Where the database fails, nothing is asked, and the reason is told."""
    error = one(Request(url=f"{site.url}/feed"), paced(dataclasses.replace(PACE, shared=True), NoTurns()))

    assert str(error) == f"did not ask for {site.url}/feed: the database failed: no route to it"
    assert site.asked == []


@pytest.mark.parametrize(("status", "headers"), [(429, {}), (429, {"Retry_After": "60"}), (503, {"Retry_After": "60"})])
def test_a_domain_that_asks_for_time_is_asked_nothing_more(site: Site, status: int, headers: dict[str, Any]) -> None:
    """What else was wanted of it is not asked, and waits as long."""
    site.pages["/0"] = answer(status=status, **headers)
    requests = [Request(url=f"{site.url}/{number}") for number in range(3)]
    answers = dict(paced(PACE)(requests))

    assert [path for path, _ in site.asked] == ["/0"]
    for request in requests[1:]:
        refusal = answers[request]
        assert isinstance(refusal, FetchError)
        assert (refusal.status, refusal.retry_after) == (status, 60 if headers else None)
        assert "example.org asks for time" in str(refusal)


def test_an_address_that_is_down_says_nothing_of_its_domain(site: Site) -> None:
    """A 503 without a time, or any other error, is that address's own."""
    site.pages.update({"/0": answer(status=503), "/1": answer(status=404), "/2": answer(b"x")})
    requests = [Request(url=f"{site.url}/{number}") for number in range(3)]
    answers = dict(paced(PACE)(requests))

    assert isinstance(answers[requests[2]], Response)


# --- moves ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "moved"), [((301,), "/1"), ((308, 301), "/2"), ((302,), ""), ((301, 302), "/1"), ((302, 301), "")]
)
def test_a_permanent_move_is_told_as_far_as_it_is_permanent(site: Site, statuses: tuple[int, ...], moved: str) -> None:
    """301 and 308 in a row from the beginning are a move; what follows a temporary redirect is not."""
    for number, status in enumerate(statuses):
        site.pages[f"/{number}"] = answer(status=status, Location=f"/{number + 1}")
    site.pages[f"/{len(statuses)}"] = answer(b"x")
    got = fetched(Request(url=f"{site.url}/0"))

    assert got.moved_to == (site.url + moved if moved else "")


def test_what_has_moved_is_asked_where_it_is(site: Site) -> None:
    """The request keeps its name, and goes to the new address."""
    site.pages["/new"] = answer(b"x")
    request = Request(url=f"{site.url}/old", moved=f"{site.url}/new")
    got = fetched(request)

    assert (got.url, got.request.address, got.moved_to) == (f"{site.url}/new", f"{site.url}/old", "")


def test_an_answer_says_how_long_it_holds_and_what_it_took(site: Site) -> None:
    """Its headers' word on its freshness, and the seconds it was waited for."""
    site.pages["/feed"] = answer(b"x", Cache_Control="max-age=3600")
    got = fetched(Request(url=f"{site.url}/feed"))

    assert got.holds == timedelta(hours=1)
    assert got.seconds > 0


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_is_read_and_known_again(tmp_path: Path) -> None:
    """A file's time and size are its validator: the same file is unchanged, a rewritten one is not."""
    path = tmp_path / "page.txt"
    path.write_bytes(b"one")
    first = fetched(Request(path=path))
    assert (first.body, first.url) == (b"one", str(path))
    assert fetched(Request(path=path, etag=first.etag)).unchanged
    path.write_bytes(b"three")
    assert fetched(Request(path=path, etag=first.etag)).body == b"three"


def test_files_that_cannot_be_read_are_errors(tmp_path: Path) -> None:
    """Missing, too large, folders, pipes: each is a value that names the file."""
    large, pipe = tmp_path / "large.txt", tmp_path / "pipe"
    large.write_bytes(bytes(2**20 + 1))
    os.mkfifo(pipe)
    for path, reason in {
        tmp_path / "none.txt": "no such file",
        large: "larger than 1 MiB",
        tmp_path: "not a regular file",
        pipe: "not a regular file",
        Path("a\x00b"): "null byte",
    }.items():
        error = str(failed(Request(path=path)))
        assert reason in error
        assert str(path) in error
