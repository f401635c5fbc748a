"""Readers say what they like: by the link in their mail, a button, and nothing that follows links by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.links import Purpose
from newsletter.permalinks import permalink
from tests.builders import MINUTE
from tests.web.websites import Website, open_website
from tests.workspaces import PLAN

VOTES = PLAN.replace("    topics: [models]\n", "    topics: [models]\n    votes: true\n")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Website]:
    """A site with two readers who have got an issue and may vote."""
    with open_website(tmp_path, readers=2, plan=VOTES) as website:
        website.pass_time(MINUTE)
        for slot, audience in website.app.due(now=website.now):
            website.app.run(slot, audience=audience, clock=lambda: website.now)
        yield website


def links(site: Website, reader: int = 0) -> list[str]:
    """The links to vote in a reader's mail."""
    (mail,) = [mail for mail in site.mailbox.messages() if str(mail["To"]) == f"reader{reader:03d}@example.org"]
    found = []
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body is not None
        urls = re.findall(r"https?://[^\s\"<]+/vote/[^\s\"<]+", body.get_content())
        found.append([urlsplit(url).path for url in urls])
    assert found[0] == found[1]
    return found[0]


def test_a_vote_comes_from_a_mail_and_a_button(site: Website) -> None:
    """Once, however often the button is pressed; it can be taken back, and others see the number."""
    first, second = links(site)
    other = links(site, 1)[0]
    for _ in range(3):
        assert site.ask("HEAD", first).status == 200
        assert "I like it" in site.get(first).text

    for _ in range(3):
        answer = site.post(first)
        assert "liked by 1 reader" in answer.text
    assert "liked by 2 readers" in site.post(other).text
    assert "liked" not in site.get(second).text
    key = first.rpartition("/")[2]
    assert "liked by 2 readers" in site.get(f"/daily-papers/stories/{key}").text

    for _ in range(2):
        assert "liked by 1 reader" in site.post(first, {"back": "1"}).text
    assert "liked by 1 reader" in site.get(other).text


def test_a_page_of_a_vote_is_one_readers_own(site: Website) -> None:
    """Kept by no cache, and its token is named to nobody."""
    headers = site.get(links(site)[0]).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "noindex" in headers["X-Robots-Tag"]


def test_who_is_no_reader_does_not_vote(site: Website) -> None:
    """Nor by a damaged link, for another purpose, or for a story that is not there; nobody learns which it was."""
    path = links(site)[0]
    token = path.split("/")[2]
    reader = site.app.store.subscribers.get("reader000@example.org")
    url = site.app.links.url(Purpose.UNSUBSCRIBE, subscriber=reader, newsletter="daily-papers", now=site.now)
    wrong = [
        path.replace(token, token[:-2] + "AA"),
        path.replace(token, url.rpartition("/")[2]),
        f"/preferences/{token}/vote/{permalink('arxiv:9999.00001')}",
        f"/preferences/{token}/vote/~%00",
        f"/preferences/{token}/vote/../../x",
    ]
    for other in wrong:
        assert site.get(other).status == 404
        assert site.post(other).status == 404

    site.app.store.subscribers.leave(reader, newsletter="daily-papers", now=site.now)
    assert site.post(path).status == 404
    assert site.app.store.votes.counts("daily-papers", ["x"]) == {}
