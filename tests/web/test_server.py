"""What holds for every page."""

from __future__ import annotations

import gzip
import ipaddress
import socket
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from newsletter.links import Purpose
from newsletter.schedule.plan import PAGES, SITE
from newsletter.web.app import build
from newsletter.web.safety import client_address, is_same_site, masked, prefix
from tests.web.websites import Website

ANY_PAGE = ("/", "/daily-papers", "/static/nothing.css", "/nowhere/at/all")


@pytest.mark.parametrize("path", ANY_PAGE)
def test_every_answer_carries_the_headers_that_protect_it(website: Website, path: str) -> None:
    """Also those that say there is nothing."""
    answer = website.get(path)

    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"]
    assert answer.headers["Server"] is None


@pytest.mark.parametrize(
    "path", ["/nowhere", "/daily-papers/", "/daily%2dpapers/../x", "/static/..%2f..%2f.env", "/%00"]
)
def test_what_is_not_there_is_a_page_that_says_so(website: Website, path: str) -> None:
    """One address for each page: no slash is added or taken away."""
    answer = website.get(path)

    assert answer.status == 404
    assert "There is nothing here." in answer.text


def test_the_stylesheet_is_kept_for_good(website: Website) -> None:
    """Its name changes when it does."""
    page = website.get("/daily-papers").text
    path = page.partition('rel="stylesheet" href="')[2].partition('"')[0]

    style = website.get(path)

    assert style.status == 200
    assert "immutable" in style.headers["Cache-Control"]
    packed = website.get(path, Accept_Encoding="gzip")
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.body) == style.body


def test_a_body_has_a_size(website: Website) -> None:
    """Announced or not, it is refused before anything reads it."""
    announced = website.post("/daily-papers", {"email": "x" * 100_000})

    assert announced.status == 413
    with socket.create_connection((urlsplit(website.url).hostname, urlsplit(website.url).port)) as connection:
        connection.sendall(b"POST /daily-papers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        connection.sendall((b"1000\r\n" + b"x" * 4096 + b"\r\n") * 17)
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


def test_links_do_not_believe_the_host_header(website: Website) -> None:
    """They begin with BASE_URL, whoever asks."""
    answer = website.get("/daily-papers", Host="evil.example", X_Forwarded_Host="evil.example")

    assert answer.status == 200
    assert "evil" not in answer.text
    assert f'rel="canonical" href="{website.url}/daily-papers"' in answer.text


def _request(peer: str, **headers: str) -> Request:
    spelled = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "client": (peer, 1234), "headers": spelled})


def test_only_a_trusted_proxy_says_who_asks() -> None:
    """And of what it forwards only what it has added itself."""
    trusted = [ipaddress.ip_network("127.0.0.0/8")]

    assert client_address(_request("203.0.113.9", X_Forwarded_For="1.2.3.4"), trusted=trusted) == "203.0.113.9"
    assert (
        client_address(_request("127.0.0.1", X_Forwarded_For="1.2.3.4, 198.51.100.7"), trusted=trusted)
        == "198.51.100.7"
    )
    assert client_address(_request("127.0.0.1", X_Forwarded_For="1.2.3.4"), trusted=[]) == "127.0.0.1"
    assert client_address(_request("127.0.0.1", X_Forwarded_For="1.2.3.4, 127.0.0.2"), trusted=trusted) == "1.2.3.4"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("::ffff:198.51.100.7", "198.51.100.0/24"),
        ("unix", ""),
    ],
)
def test_neighbours_are_counted_together(address: str, network: str) -> None:
    """What one person may have all of is one."""
    assert prefix(address) == network


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"Origin": "https://news.example.org"}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Sec_Fetch_Site": "same-origin"}, True),
        ({"Sec_Fetch_Site": "same-site", "Origin": "https://news.example.org"}, False),
        ({"Sec_Fetch_Site": "cross-site"}, False),
        ({}, False),
    ],
)
def test_a_form_of_another_site_is_told_from_ours(headers: dict[str, str], ours: bool) -> None:
    """By what browsers say and scripts cannot."""
    assert is_same_site(_request("127.0.0.1", **headers), base_url="https://news.example.org/papers") is ours


def test_tokens_are_masked_in_what_is_logged(website: Website) -> None:
    """A log is read by more people than a mail."""
    url = website.app.links.url(Purpose.UNSUBSCRIBE, subscriber=7, newsletter="daily-papers")

    assert masked(urlsplit(url).path) == "/unsubscribe/…"
    assert masked("/daily-papers/morning/2026-11-20") == "/daily-papers/morning/2026-11-20"


def test_no_newsletter_or_schedule_can_hide_a_page(website: Website) -> None:
    """The parts of addresses that are pages are no names; each of them is told to schedules.yaml."""
    application = build(website.site).app
    assert isinstance(application, Starlette)
    paths = [route.path.split("/") for route in application.routes if isinstance(route, Route)]
    firsts = {path[1] for path in paths if path[1] and not path[1].startswith("{")}
    seconds = {path[2] for path in paths if path[1] == "{newsletter}" and len(path) > 2 and path[2][0].isalpha()}

    assert firsts <= SITE
    assert {second for second in seconds if "." not in second} <= PAGES
