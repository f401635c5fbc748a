"""Readers say what they like: by the link in their mail, a button, and nothing that follows links by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.links import Purpose
from newsletter.permalinks import permalink
from newsletter.web.session import LASTS
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


def sign_in(site: Website, reader: int = 0) -> str:
    """The way from a mail to the pages; the cookie that is left."""
    token = links(site, reader)[0].split("/")[2]
    assert f"/preferences/{token}/session" in site.get(links(site, reader)[0]).text
    assert "Sign in" in site.get(f"/preferences/{token}/session").text
    entered = site.post(f"/preferences/{token}/session", Origin=site.url)
    assert entered.status == 303
    assert entered.headers["Location"] == "/daily-papers"
    return entered.headers["Set-Cookie"].partition(";")[0]


def pages(site: Website) -> tuple[str, str]:
    """The latest issue, and its first story."""
    (decided,) = site.app.store.issues.public("daily-papers", limit=1)
    return f"/daily-papers/{decided.slot}", f"/daily-papers/stories/{links(site)[0].rpartition('/')[2]}"


def test_a_reader_votes_on_the_pages_once_signed_in(site: Website) -> None:
    """On the page of a story and in an issue, where they come back to; the archive counts them too."""
    issue, story = pages(site)
    session, other = sign_in(site), sign_in(site, 1)
    assert site.get(issue, Cookie=session).text.count("I like it</button>") == 2
    assert "I like it</button>" in site.get(story, Cookie=session).text

    in_issue = site.post(story, {"issue": issue.removeprefix("/daily-papers/")}, Origin=site.url, Cookie=session)
    on_page = site.post(story, Origin=site.url, Cookie=other)

    assert (in_issue.status, in_issue.headers["Location"]) == (303, issue)
    assert (on_page.status, on_page.headers["Location"]) == (303, story)
    for page in (issue, story):
        assert "liked by 2 readers" in site.get(page).text
        assert site.get(page, Cookie=session).text.count("You like it.") == 1
    assert "liked by 2 readers" in site.get(f"/daily-papers/archive/{issue.rpartition('/')[2]}").text
    site.post(story, {"back": "1"}, Origin=site.url, Cookie=session)
    assert "You like it." not in site.get(story, Cookie=session).text
    assert "You like it." in site.get(issue, Cookie=other).text


def test_a_page_is_kept_by_caches_only_where_nobody_is_signed_in(site: Website) -> None:
    """And for those only who show no cookie; without a session a page says how to vote, and has no button."""
    session = sign_in(site)
    for path in pages(site):
        anyone, theirs = site.get(path), site.get(path, Cookie=session)
        assert anyone.headers["Cache-Control"].startswith("public")
        assert "Cookie" in anyone.headers["Vary"]
        assert "I like it" not in anyone.text
        assert theirs.headers["Cache-Control"] == "private, no-store"
        assert theirs.headers["ETag"] is None
    assert "by the link below a story in their mail" in site.get(pages(site)[1]).text


def test_a_vote_on_a_page_is_a_readers_own(site: Website) -> None:
    """Not another site's, nobody's, nor of who has left or signed in too long ago; no address leads elsewhere."""
    _, story = pages(site)
    session = sign_in(site)
    foreign: list[dict[str, str]] = [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ]
    for headers in foreign:
        assert site.post(story, {}, Cookie=session, **headers).status == 403
        token = links(site)[0].split("/")[2]
        assert site.post(f"/preferences/{token}/session", {}, **headers).status == 403
    for forged in ("", "reader=x", session[:-2], session.replace("reader=", "reader=x")):
        assert site.post(story, Origin=site.url, Cookie=forged).status == 303
    away = site.post(story, {"issue": "//evil.example/x"}, Origin=site.url, Cookie="reader=x").headers["Location"]
    assert away.startswith("/daily-papers/")
    site.pass_time(LASTS + MINUTE)
    site.post(story, Origin=site.url, Cookie=session)
    assert "I like it" not in site.get(story, Cookie=session).text

    session = sign_in(site)
    reader = site.app.store.subscribers.get("reader000@example.org")
    site.app.store.subscribers.leave(reader, newsletter="daily-papers", now=site.now)
    site.post(story, Origin=site.url, Cookie=session)
    assert "liked" not in site.get(story).text


def test_signing_out_forgets_the_cookie(site: Website) -> None:
    """On our own word only."""
    session = sign_in(site)
    assert site.post("/session", Cookie=session).status == 403

    left = site.post("/session", Origin=site.url, Cookie=session)

    assert left.status == 303
    assert left.headers["Set-Cookie"].startswith('reader="";')


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
    assert site.get(f"/preferences/{token}/session").status == 404
    assert site.app.store.votes.counts("daily-papers", ["x"]) == {}
