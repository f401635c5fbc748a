from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from newsletter.errors import ConfigError
from newsletter.web.inbox.guard import refusal
from newsletter.web.inbox.maildir import Inbox
from newsletter.web.inbox.pages import in_bytes, when
from newsletter.web.inbox.serve import open_inbox
from tests.builders import NOON
from tests.web.inbox.hostile import HOSTILE

VIEWS = ("html", "text", "source", "headers", "attachments", "links", "envelope", "nonsense")


@dataclass
class Box:
    """A maildir and the pages that show it."""

    folder: Path
    url: str

    def drop(self, raw: bytes, *, name: str, age: int = 0) -> None:
        """Put a mail into it, as another program would, so many seconds ago."""
        path = self.folder / "new" / name
        path.write_bytes(raw)
        os.utime(path, (NOON.timestamp() - age,) * 2)

    def ask(self, target: str, *, method: str = "GET", **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        """The answer to one request."""
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, target, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def page(self, target: str) -> str:
        """A page that is there."""
        status, _, body = self.ask(target)
        assert status == 200
        return body.decode()

    def ids(self, query: str = "") -> list[str]:
        """Those of the mails found."""
        return [message["id"] for message in json.loads(self.page(f"/api/messages?q={query}"))["messages"]]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """An empty one."""
    folder = tmp_path / "mail"
    for part in ("new", "cur", "tmp"):
        (folder / part).mkdir(parents=True)
    with open_inbox(folder, port=0, clock=lambda: NOON, smtp="smtp://127.0.0.1:1025", faults=["421@10%"]) as url:
        yield Box(folder, url)


def a_mail(subject: str, text: str = "hello", html: str = "") -> bytes:
    """A mail from Ada to Bob."""
    message = EmailMessage()
    message["From"] = "Ada Sample <ada@example.org>"
    message["To"] = "bob@example.org"
    message["Subject"] = subject
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    return message.as_bytes()


def test_an_empty_mailbox_says_where_mails_come_in(box: Box) -> None:
    """And what goes wrong there on purpose."""
    page = box.page("/")

    assert "No mail yet" in page
    assert "smtp://127.0.0.1:1025" in page
    assert "421@10%" in page


def test_mails_are_listed_newest_first(box: Box) -> None:
    """Those that others dropped into the folder too, in `cur` as well; other files are not there."""
    box.drop(a_mail("yesterday"), name="2.x", age=60)
    box.drop(a_mail("today"), name="1.x")
    (box.folder / "new" / "1.x").rename(box.folder / "cur" / "1.x:2,S")
    (box.folder / "new" / ".hidden").write_bytes(b"x")
    (box.folder / "new" / "link").symlink_to("/etc/passwd")
    (box.folder / "new" / "folder").mkdir()
    page = box.page("/")

    assert page.index("today") < page.index("yesterday")
    assert json.loads(box.page("/api/messages"))["total"] == 2


def test_a_mail_keeps_its_address_when_it_is_marked(box: Box) -> None:
    """Mail readers move files to `cur` and add flags to their names."""
    box.drop(a_mail("x"), name="1.x")
    before = box.ids()
    (box.folder / "new" / "1.x").rename(box.folder / "cur" / "1.x:2,RS")

    assert box.ids() == before
    assert "<h1" in box.page(f"/mail/{before[0]}")


def test_long_lists_have_pages(box: Box) -> None:
    """Fifty a page; a page that is none is the nearest."""
    for number in range(120):
        box.drop(a_mail(f"mail {number:03}"), name=f"{number}.x", age=number)

    assert box.page("/").count('href="/mail/') == 50
    assert box.page("/?page=3").count('href="/mail/') == 20
    assert "mail 119" in box.page("/?page=999")
    assert "mail 000" in box.page("/?page=-1")


def test_search_looks_at_people_subjects_and_texts(box: Box) -> None:
    """Every word has to be there, in whatever case."""
    box.drop(a_mail("Vision papers", "about cameras"), name="1.x")
    box.drop(a_mail("Language papers", "about GRAMMAR"), name="2.x", age=9)
    box.drop(a_mail("Hidden", html="<p>only <b>here</b></p><style>cameras</style>", text=" "), name="3.x", age=19)
    vision, language, hidden = box.ids()

    assert box.ids("vision") == [vision]
    assert box.ids("ADA+papers") == [vision, language]
    assert box.ids("grammar") == [language]
    assert box.ids("only+here") == [hidden]
    assert box.ids("cameras+grammar") == []
    assert "No mail has all of these words" in box.page("/?q=%3Cscript%3E")


def test_a_text_behind_a_long_head_is_found(box: Box) -> None:
    """A mail may begin with thousands of bytes of signatures."""
    box.drop(b"X-Seal: " + b"a" * 20_000 + b"\r\nSubject: late\r\n\r\nneedle\r\n", name="1.x")

    assert len(box.ids("needle")) == 1


@pytest.mark.parametrize("raw", HOSTILE)
def test_nothing_in_a_mail_breaks_a_page(box: Box, raw: bytes) -> None:
    """Every view of every broken mail is there, and nothing of it is markup of the page."""
    box.drop(raw, name="1.x")
    (identifier,) = box.ids()
    pages = [box.page("/"), box.page(f"/api/messages/{identifier}")]
    pages += [box.page(f"/mail/{identifier}?show={view}") for view in VIEWS]

    for page in pages[:1] + pages[2:]:
        assert "<script>" not in page
        assert "<img src=x" not in page
    for part in json.loads(pages[1])["parts"]:
        assert box.ask(f"/mail/{identifier}/part/{part['number']}")[0] == 200


def test_html_comes_without_rights(box: Box) -> None:
    """No scripts, no forms, nothing from elsewhere unless somebody asks for images."""
    box.drop(a_mail("x", html='<img src="https://a.example/x.png"><script>1</script>'), name="1.x")
    (identifier,) = box.ids()
    _, blocked, _ = box.ask(f"/mail/{identifier}/html")
    _, loaded, _ = box.ask(f"/mail/{identifier}/html?images=1")
    shown = box.page(f"/mail/{identifier}")

    rules = dict(rule.split(" ", 1) for rule in blocked["Content-Security-Policy"].split("; "))
    assert rules["sandbox"] == "allow-popups allow-popups-to-escape-sandbox"
    assert rules["default-src"] == "'none'"
    assert rules["img-src"] == f"data: {box.url}mail/{identifier}/part/"
    assert loaded["Content-Security-Policy"].count("https: http:") == 1
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown
    assert "1 image from elsewhere blocked" in shown


def test_pages_run_our_script_alone(box: Box) -> None:
    """Styles and scripts come from files, and nobody frames a page."""
    _, headers, _ = box.ask("/")
    policy = headers["Content-Security-Policy"]

    assert "unsafe" not in policy
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_attachments_are_for_the_disk(box: Box) -> None:
    """HTML and SVG among them never come as a page; pictures do, for they stand in mails."""
    message = EmailMessage()
    message.set_content("x")
    message.add_attachment("<script>1</script>", subtype="html", filename='a"\u00fc.html')
    message.add_attachment(b"<svg/>", maintype="image", subtype="svg+xml", filename="b.svg")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="c.png")
    box.drop(message.as_bytes(), name="1.x")
    (identifier,) = box.ids()
    page, drawing, picture = (box.ask(f"/mail/{identifier}/part/{number}") for number in (2, 3, 4))

    assert page[1]["Content-Type"] == drawing[1]["Content-Type"] == "application/octet-stream"
    assert page[1]["Content-Disposition"] == "attachment; filename=\"a_.html\"; filename*=UTF-8''a%C3%BC.html"
    assert (picture[1]["Content-Type"], picture[2]) == ("image/png", b"\x89PNG")
    assert {answer[1]["Content-Security-Policy"] for answer in (page, drawing, picture)} == {"sandbox"}
    assert box.ask(f"/mail/{identifier}/part/1")[0] == 404  # the text is no attachment
    assert box.ask(f"/mail/{identifier}/raw")[1]["Content-Type"] == "message/rfc822"


@pytest.mark.parametrize(
    "target",
    ["/mail/..%2f..%2fetc%2fpasswd", "/mail/0000000000000000", "/static/..%2fpage.html.j2", "/static/page.html.j2"],
)
def test_only_what_is_there_is_given(box: Box, target: str) -> None:
    """A mail is looked up among those in the folder; its address is never a path."""
    assert box.ask(target)[0] == 404


def test_mails_are_deleted_by_the_page_alone(box: Box) -> None:
    """Not by a link and not by another site."""
    for number in range(3):
        box.drop(a_mail("x"), name=f"{number}.x", age=number)
    first, *_ = box.ids()
    ours = box.url.rstrip("/")

    assert box.ask(f"/mail/{first}/delete")[0] == 405
    assert box.ask("/delete", method="POST", Origin="https://evil.example")[0] == 403
    assert box.ask("/delete", method="POST", Origin="null")[0] == 403
    assert box.ask("/delete", method="POST", **{"Sec-Fetch-Site": "cross-site"})[0] == 403
    assert len(box.ids()) == 3
    assert box.ask(f"/mail/{first}/delete", method="POST", Origin=ours)[0] == 303
    assert first not in box.ids()
    assert box.ask("/delete", method="POST", Origin=ours)[0] == 303
    assert box.ids() == []
    assert list((box.folder / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("host", "bound", "is_answered"),
    [
        ("127.0.0.1:8025", "127.0.0.1", True),
        ("localhost:8025", "127.0.0.1", True),
        ("[::1]:8025", "::1", True),
        ("LOCALHOST", "127.0.0.1", True),
        ("papers.lan:8025", "papers.lan", True),
        ("evil.example:8025", "127.0.0.1", False),
        ("192.168.1.5:8025", "127.0.0.1", False),
        ("192.168.1.5:8025", "0.0.0.0", True),  # noqa: S104
        ("evil.example", "0.0.0.0", False),  # noqa: S104
        ("", "127.0.0.1", False),
        ("[", "127.0.0.1", False),
    ],
)
def test_it_answers_to_names_of_this_machine(host: str, bound: str, is_answered: bool) -> None:
    """A site whose name leads here reads no mails."""
    assert (refusal("GET", {"host": host}, bound=bound) is None) == is_answered


def test_strangers_are_refused_on_the_wire(box: Box) -> None:
    """As the server answers it."""
    assert box.ask("/", Host="evil.example")[0] == 421


def test_the_version_changes_with_the_folder(box: Box) -> None:
    """By which a page knows that it is old."""
    versions = [box.page("/api/version")]
    box.drop(a_mail("x"), name="1.x")
    versions.append(box.page("/api/version"))
    (box.folder / "new" / "1.x").unlink()
    versions.append(box.page("/api/version"))

    assert versions[0] == versions[2] != versions[1]


def test_a_mail_that_goes_while_one_looks(tmp_path: Path) -> None:
    """It is not there any more, and that is all; a folder that is not there holds none."""
    (tmp_path / "new").mkdir()
    path = tmp_path / "new" / "1.x"
    path.write_bytes(a_mail("x"))
    inbox = Inbox(tmp_path)
    (found,) = inbox.list().summaries
    path.unlink()

    assert inbox.find(found.id) is None
    assert inbox.beside(found.id) == ("", "")
    assert inbox.delete(found.id) == 0
    assert Inbox(tmp_path / "nowhere").list().total == 0


def test_mails_of_one_moment_are_in_their_order(tmp_path: Path) -> None:
    """As the maildir numbered them: the tenth after the ninth."""
    (tmp_path / "new").mkdir()
    for number in (9, 10, 8):
        path = tmp_path / "new" / f"1.M1P1Q{number}.x"
        path.write_bytes(a_mail(str(number)))
        os.utime(path, (1, 1))

    assert [summary.subject for summary in Inbox(tmp_path).list().summaries] == ["10", "9", "8"]


def test_a_mail_leads_to_its_neighbours(box: Box) -> None:
    """The next newer one and the next older one."""
    for number in range(3):
        box.drop(a_mail(str(number)), name=f"{number}.x", age=number)
    newest, middle, oldest = box.ids()
    page = box.page(f"/mail/{middle}")

    assert f'rel="prev" href="/mail/{newest}"' in page
    assert f'rel="next" href="/mail/{oldest}"' in page


def test_a_taken_port_is_told_clearly(box: Box) -> None:
    """Two mailboxes cannot show their mails at one address."""
    port = urlsplit(box.url).port or 0
    with (
        pytest.raises(ConfigError, match=rf"--web: cannot listen at 127.0.0.1:{port}: .*in use"),
        open_inbox(box.folder, port=port, clock=lambda: NOON),
    ):
        pass


def test_times_are_as_short_as_they_can_be() -> None:
    """The hour of today, the day of this year, the year of others."""
    now = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)

    def told(moment: datetime) -> str:
        return when(moment, now=now, zone=UTC)

    assert told(now.replace(hour=9, minute=5)) == "09:05"
    assert told(now.replace(day=3)) == "3 Nov"
    assert told(now.replace(year=2025)) == "21 Nov 2025"
    assert when(now, now=now, zone=UTC, full=True) == "21 Nov 2026, 12:00:00"


def test_sizes_are_told_in_thousands() -> None:
    """As providers count them."""
    assert [in_bytes(size) for size in (812, 62_300, 3_100_000)] == ["812 B", "62.3 kB", "3.1 MB"]
