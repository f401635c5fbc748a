"""From a reader's link to an entry that is in the next issue: what is looked up, what is not, what the editor says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter import suggestions
from newsletter.alarms import troubles
from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.errors import Conflict, NotFound
from newsletter.model import Entry, Story
from newsletter.store.suggestions import APPROVED, Suggestion, Taken
from newsletter.suggestions import read_link
from tests.builders import DAY, MINUTE, an_entry
from tests.sites import Page, Site, open_site
from tests.workspaces import asking, make_workspace

NOW = datetime.now(UTC).replace(microsecond=0)
POST = "https://blog.example.org/post?utm_source=mail"
PAPER = """<entry><id>http://arxiv.org/abs/{id}v1</id><title>The paper {id}</title><summary>We propose it.</summary>
<author><name>A. Author</name></author></entry>"""


@dataclass
class Queue:
    """An app with readers, and an arXiv of its own; tests share it, and tell of things of their own."""

    app: App
    arxiv: Site
    asked: int = 0
    papers: set[str] = field(default_factory=set)

    def suggest(self, text: str, *, title: str = "") -> Taken:
        """As a reader does, each time another."""
        link = read_link(text)
        assert link is not None
        who = self.app.store.subscribers.get(f"reader{self.asked:03d}@example.org")
        self.asked += 1
        newsletter = self.app.newsletter("daily-papers")
        return suggestions.suggest(self.app, newsletter, link, subscriber=who, title=title, note="", now=NOW).taken

    def find(self, key: str) -> Suggestion:
        """The one of this key."""
        (one,) = (one for one in self.app.store.suggestions.list() if one.key == key)
        return one

    def approve(self, key: str, *, title: str = "", who: str = "ann") -> Entry:
        """As the editor does."""
        return suggestions.approve(self.app, self.find(key).id, title=title, who=who, now=NOW)

    def next_issue(self) -> dict[str, Story]:
        """The stories that would be in it."""
        (due,) = self.app.due(now=NOW + MINUTE)
        composed = self.app.compose(due[0], now=NOW + MINUTE)
        return {story.key: story for story in composed.issue.stories} if composed.issue else {}

    def knows(self, paper: str) -> None:
        """From now on arXiv tells of this one too."""
        self.papers.add(paper)
        told = "".join(PAPER.format(id=one) for one in sorted(self.papers))
        self.arxiv.pages["/api"] = Page(f'<feed xmlns="http://www.w3.org/2005/Atom">{told}</feed>'.encode())


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Queue]:
    """Nobody suggested anything yet."""
    with open_site() as arxiv:
        workspace = make_workspace(tmp_path_factory.mktemp("queue") / "workspace", readers=30)
        (workspace.folder / "schedules.yaml").write_text(asking(f"{arxiv.url}/api"), encoding="utf-8")
        settings = {**workspace.settings, "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"}
        with open_app(load_config(workspace.folder, settings)) as app:
            yield Queue(app, arxiv)


@pytest.mark.parametrize(
    ("text", "key", "url"),
    [
        ("2311.12345", "arxiv:2311.12345", "https://arxiv.org/abs/2311.12345"),
        (" arXiv:2311.12345v2 ", "arxiv:2311.12345", "https://arxiv.org/abs/2311.12345"),
        ("https://huggingface.co/papers/2311.12345", "arxiv:2311.12345", "https://arxiv.org/abs/2311.12345"),
        ("doi:10.1000/XYZ", "doi:10.1000/xyz", "https://doi.org/10.1000/xyz"),
        (POST, "url:https://blog.example.org/post", POST),
    ],
)
def test_a_link_is_read_as_what_it_names(text: str, key: str, url: str) -> None:
    """However it is spelled, one thing has one key."""
    link = read_link(text)
    assert link is not None
    assert (link.key, link.url) == (key, url)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example.org/a",
        "javascript:alert(1)",
        "ftp://example.org/",
        "https://ann:secret@example.org/",
        "http://localhost/",
        "http://router.local/",
        "http://printer/",
        "http://127.0.0.1/",
        "http://127.1/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://[::1]/",
        "http://10.0.0.1./",
        "https://example.org\\@evil.com/",
        "https://exa mple.org/",
        "https://example.org/" + "a" * 2000,
    ],
)
def test_what_is_no_public_address_is_none(text: str) -> None:
    """Whoever follows a link of a mail must not ask their own router by it."""
    assert read_link(text) is None


@given(st.text(max_size=60) | st.text(alphabet="htps:/.[]@%\\arxiv0123456789", max_size=60))
def test_any_text_is_a_link_or_none(text: str) -> None:
    """None of them breaks it, and what is one begins with http."""
    link = read_link(text)
    assert link is None or link.url.startswith(("http://", "https://"))


def test_a_paper_is_known_once_sources_were_collected(queue: Queue) -> None:
    """Asked for once, by the source for suggestions; until then its id is all there is. A blog is never asked."""
    queue.suggest("https://arxiv.org/pdf/2611.00001v2")
    assert queue.suggest("https://www.alphaxiv.org/abs/2611.00001") is Taken.JOINED
    queue.suggest("http://post.example.org/1", title="A post")
    assert queue.find("arxiv:2611.00001").title == ""

    queue.knows("2611.00001")
    for _ in range(2):
        assert queue.app.collect("daily-papers", now=NOW).failed == ()

    paper = queue.find("arxiv:2611.00001")
    assert paper.title == "The paper 2611.00001"
    assert paper.entry is not None
    assert paper.entry.authors == ("A. Author",)
    assert queue.find("url:https://post.example.org/1").entry is None
    assert len([path for path in queue.arxiv.asked if "2611.00001" in path]) == 1


def test_what_is_approved_is_in_the_next_issue(queue: Queue) -> None:
    """A paper with what arXiv says, anything else as the editor calls it."""
    queue.knows("2611.00002")
    queue.suggest("2611.00002")
    queue.suggest(POST, title="A reader's words")

    assert queue.approve("arxiv:2611.00002").summary == "We propose it."
    queue.approve("url:https://blog.example.org/post", title="Notes on maps")

    stories = queue.next_issue()
    assert stories["arxiv:2611.00002"].mentions[0].source == "suggested"
    assert stories["url:https://blog.example.org/post"].title == "Notes on maps"
    assert stories["url:https://blog.example.org/post"].url == POST
    assert queue.find("arxiv:2611.00002").state == APPROVED


def test_arxiv_calls_a_paper_and_the_editor_may_call_it_else(queue: Queue) -> None:
    """What a reader calls it counts only where nobody else says anything."""
    queue.knows("2611.00003")
    queue.knows("2611.00004")
    queue.suggest("2611.00003", title="Best paper ever")
    queue.suggest("2611.00004", title="Plates")

    assert queue.approve("arxiv:2611.00003", title="Best paper ever").title == "The paper 2611.00003"
    assert queue.approve("arxiv:2611.00004", title="On saucers").title == "On saucers"


def test_what_arxiv_does_not_say_needs_a_title(queue: Queue) -> None:
    """It may be busy, or not know the paper; then nothing is decided, and with a title it is. The rest comes later."""
    queue.suggest("2611.00005")
    queue.arxiv.pages["/api"] = Page(b"Rate exceeded.\n")
    with pytest.raises(Conflict, match=r"Rate exceeded.*give it a title"):
        queue.approve("arxiv:2611.00005")
    assert queue.approve("arxiv:2611.00005", title="On cups").summary == ""
    with pytest.raises(Conflict, match="approved by ann before"):
        queue.approve("arxiv:2611.00005", who="bea")

    queue.knows("2611.00005")
    queue.app.collect("daily-papers", now=NOW)
    story = queue.next_issue()["arxiv:2611.00005"]
    assert (story.title, story.summary) == ("On cups", "We propose it.")

    queue.suggest("2611.00777")
    with pytest.raises(Conflict, match=r"arXiv knows no arxiv:2611\.00777"):
        queue.approve("arxiv:2611.00777")
    queue.suggest("https://example.org/untitled")
    with pytest.raises(Conflict, match="give it a title"):
        queue.approve("url:https://example.org/untitled")


def test_the_editor_may_ask_at_once(queue: Queue) -> None:
    """About all papers that wait and are not known; a second time only about what is not known still."""
    queue.knows("2611.00006")
    queue.suggest("2611.00006")
    queue.suggest("2611.00666")

    assert suggestions.look_up(queue.app, "daily-papers", now=NOW) == 1
    assert suggestions.look_up(queue.app, "daily-papers", now=NOW) == 0
    assert queue.find("arxiv:2611.00006").title == "The paper 2611.00006"
    assert queue.find("arxiv:2611.00666").title == ""


def test_readers_need_not_suggest_anything(queue: Queue) -> None:
    """Of another source that fell silent the operator would be told."""
    before = NOW - 5 * DAY
    for source in ("suggested", "saved"):
        told = [an_entry(number, source=source, key=f"url:https://old.example.org/{number}") for number in range(9)]
        queue.app.store.entries.add(told, now=before)
    queue.app.collect("daily-papers", now=before)

    found = {trouble.name for trouble in troubles(queue.app, now=NOW + 35 * DAY)}

    assert "stale/saved" in found
    assert "stale/suggested" not in found


def test_who_takes_no_suggestions_says_so(queue: Queue) -> None:
    """By the kinds of its sources."""
    plan = queue.app.plan
    deaf = replace(plan.newsletters["daily-papers"], suggestions="")
    app = replace(queue.app, plan=replace(plan, newsletters={"daily-papers": deaf}))

    with pytest.raises(NotFound, match="of kind readers"):
        suggestions.look_up(app, "daily-papers", now=NOW)
