from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from newsletter.cli import cli
from newsletter.errors import ConfigError, FetchError, NewsletterError, NotFound, ReadError, SourceError
from tests.sites import Page, Site, rss
from tests.workspaces import PLAN, Workspace, make_workspace

LIST = """\
<opml version="1.0"><body>
  <outline text="R&D News" xmlUrl="https://example.org/news?a=1&section=2"/>
  <outline text="R&D News" xmlUrl="https://example.net/news"/>
  <outline text="Saved" xmlUrl="https://example.net/saved"/>
  <outline text="Known" xmlUrl="http://example.com/known.xml?utm_source=opml"/>
</body></opml>
"""
KNOWN = '  known: {kind: feed, url: "https://example.com/known.xml"}  # my own comment\n'
ADDED = """\
  r-d-news: {kind: feed, url: "https://example.org/news?a=1&section=2"}
  r-d-news-2: {kind: feed, url: "https://example.net/news"}
  saved-2: {kind: feed, url: "https://example.net/saved"}
"""
# The last value of the sources stands elsewhere in the file.
ALIASED = """\
newsletters:
  n: {title: N, from: n@example.org, sources: [saved], topics: [t]}
topics:
  t: {title: &words "listing.txt"}
sources:
  saved:
    kind: listing
    path: *words
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with a saved listing and a feed, which may fetch from this machine."""
    made = make_workspace(tmp_path / "workspace")
    plan = PLAN.replace("topics:\n  models", KNOWN + "topics:\n  models")
    (made.folder / "schedules.yaml").write_text(plan, encoding="utf-8")
    (made.folder / "list.opml").write_text(LIST, encoding="utf-8")
    return Workspace(made.folder, {**made.settings, "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"})


def invoked(workspace: Workspace, *arguments: str) -> Result:
    """What `newsletter sources …` came to, run in this process."""
    return CliRunner(env={name: None for name in os.environ if name.startswith("NEWSLETTER_")}).invoke(
        cli, ["-C", str(workspace.folder), "sources", *arguments], env=workspace.settings
    )


def run(workspace: Workspace, *arguments: str) -> str:
    """What it printed; it must succeed."""
    outcome = invoked(workspace, *arguments)
    if outcome.exception is not None:
        raise outcome.exception
    return outcome.output


def plan_text(workspace: Workspace) -> str:
    """What schedules.yaml holds now."""
    return (workspace.folder / "schedules.yaml").read_text("utf-8")


# --- lists of feeds -------------------------------------------------------------------------------------------------


def test_a_list_is_printed_to_paste(workspace: Workspace) -> None:
    """Without --into nothing is written: lines for below `sources:` come out, and what is there already is told."""
    before = plan_text(workspace)
    outcome = invoked(workspace, "import-opml", str(workspace.folder / "list.opml"))

    assert outcome.stdout == ADDED
    assert outcome.stderr == "there already as known: http://example.com/known.xml?utm_source=opml\n"
    assert plan_text(workspace) == before


def test_a_list_is_written_among_the_sources(workspace: Workspace) -> None:
    """With --into the lines stand below the sources that were there; a second time there is nothing to add."""
    before = plan_text(workspace)
    arguments = ("import-opml", str(workspace.folder / "list.opml"), "--into", str(workspace.folder / "schedules.yaml"))

    assert "3 sources added, 1 there already" in run(workspace, *arguments)
    assert plan_text(workspace) == before.replace(KNOWN, KNOWN + ADDED)
    assert "0 sources added, 4 there already" in run(workspace, *arguments)
    assert plan_text(workspace) == before.replace(KNOWN, KNOWN + ADDED)
    assert "r-d-news-2 " in run(workspace, "list")


def test_a_file_that_cannot_be_added_to_stays(workspace: Workspace) -> None:
    """Where the result would not be the old plan and the new sources, the file is as it was and no draft is left."""
    path = workspace.folder / "schedules.yaml"
    path.write_text(ALIASED, encoding="utf-8")
    files = set(workspace.folder.iterdir())

    with pytest.raises(ConfigError, match="paste this under sources: r-d-news: {kind: feed, "):
        run(workspace, "import-opml", str(workspace.folder / "list.opml"), "--into", str(path))
    assert path.read_text("utf-8") == ALIASED
    assert set(workspace.folder.iterdir()) == files


def test_the_file_keeps_its_rights_and_its_link(workspace: Workspace) -> None:
    """A file that is a link, and that others may not read, stays both."""
    path, elsewhere = workspace.folder / "schedules.yaml", workspace.folder / "real.yaml"
    path.rename(elsewhere)
    elsewhere.chmod(0o640)
    path.symlink_to(elsewhere)

    run(workspace, "import-opml", str(workspace.folder / "list.opml"), "--into", str(path))

    assert path.is_symlink()
    assert elsewhere.stat().st_mode & 0o777 == 0o640
    assert ADDED in elsewhere.read_text("utf-8")


def test_what_is_no_list_is_told(workspace: Workspace) -> None:
    """A file without feeds is no empty list."""
    with pytest.raises(ReadError, match="expected an OPML list"):
        run(workspace, "import-opml", str(workspace.folder / "listing.txt"))


def test_exported_feeds_can_be_imported(workspace: Workspace, tmp_path: Path) -> None:
    """What is exported here is the same sources there: names and addresses."""
    run(
        workspace,
        "import-opml",
        str(workspace.folder / "list.opml"),
        "--into",
        str(workspace.folder / "schedules.yaml"),
    )
    exported = tmp_path / "exported.opml"
    exported.write_text(run(workspace, "export-opml"), encoding="utf-8")
    there = make_workspace(tmp_path / "there")

    assert run(there, "import-opml", str(exported)) == KNOWN.partition("  #")[0] + "\n" + ADDED


# --- finding and adding ---------------------------------------------------------------------------------------------


@pytest.fixture
def blog(site: Site) -> str:
    """The address of a page that declares a feed, and one that is gone."""
    link = '<link rel="alternate" type="application/rss+xml" href="/{}">'
    page = f"<!doctype html><head>{link.format('gone')}{link.format('news')}</head>"
    site.pages["/blog"] = Page(page.encode(), content_type="text/html")
    site.pages["/news"] = Page(rss(("One", "https://example.org/1"), ("Two", "https://example.org/2")))
    return f"{site.url}/blog"


def test_feeds_of_a_site_are_listed(workspace: Workspace, site: Site, blog: str) -> None:
    """`discover` names each feed with its title and entries, for people and for scripts."""
    found = [{"title": "Feed", "url": f"{site.url}/news", "entries": 2}]

    assert json.loads(run(workspace, "discover", blog, "--json")) == found
    assert run(workspace, "discover", blog) == f"{site.url}/news\n    Feed, 2 entries\n"


def test_the_best_feed_is_added(workspace: Workspace, site: Site, blog: str) -> None:
    """`add` writes the feed found under a name made of its title, once; --name calls it something else."""
    line = f'  feed: {{kind: feed, url: "{site.url}/news"}}\n'

    assert "added feed: Feed, " in run(workspace, "add", blog)
    assert KNOWN + line in plan_text(workspace)
    with pytest.raises(SourceError, match="is a source already: feed"):
        run(workspace, "add", blog)
    site.pages["/other"] = site.pages["/news"]
    assert "added the-blog: " in run(workspace, "add", f"{site.url}/other", "--name", "the-blog")
    assert invoked(workspace, "add", f"{site.url}/news", "--name", "known").exit_code == 2


def test_nothing_is_added_where_nothing_is_found(workspace: Workspace, site: Site) -> None:
    """A site without a feed, or no site, changes nothing; a name without a scheme is asked by https."""
    before = plan_text(workspace)
    for url, error in ((f"{site.url}/gone", FetchError), ("127.0.0.1:1/x", NewsletterError)):
        with pytest.raises(error):
            run(workspace, "add", url)
    assert plan_text(workspace) == before


# --- how they are doing ---------------------------------------------------------------------------------------------


def test_sources_are_listed_with_their_health(workspace: Workspace) -> None:
    """A source never tried, one that is well and one that fails can be told apart at a glance."""
    first = run(workspace, "list").splitlines()

    assert [line.split()[:3] for line in first] == [["saved", "listing", "-"], ["known", "feed", "-"]]
    collected = CliRunner().invoke(cli, ["-C", str(workspace.folder), "collect", "saved"], env=workspace.settings)
    assert collected.exit_code == 0
    assert run(workspace, "list").splitlines()[0].split()[:3] == ["saved", "listing", "ok"]


def test_the_list_tells_when_a_source_is_next_asked_and_what_it_costs(workspace: Workspace, site: Site) -> None:
    """With the next issue, after what it said of itself; never again where it is gone or in no newsletter."""
    body = rss(("One", "https://example.org/1"))
    site.pages["/news"] = Page(body, headers={"Cache-Control": "max-age=86400"})
    path = workspace.folder / "schedules.yaml"
    path.write_text(plan_text(workspace).replace("https://example.com/known.xml", f"{site.url}/news"), encoding="utf-8")
    CliRunner().invoke(cli, ["-C", str(workspace.folder), "collect"], env=workspace.settings)
    saved, known = json.loads(run(workspace, "list", "--json"))

    assert datetime.fromisoformat(saved["next_at"]) > datetime.now(UTC)
    assert known["next_at"] is None  # in the schedules, and in no newsletter
    assert known["health"]["size"] == len(body)
    assert f"{len(body) / 1000:.0f} kB in" in run(workspace, "list")
    assert "says that nothing new comes before" in run(workspace, "why", "known")
    assert "nothing new by its own word until" in run(workspace, "why", "known")


def test_collect_explains_as_well(workspace: Workspace, site: Site) -> None:
    """`collect --why` is `sources why`, and takes one source."""
    site.pages["/news"] = Page(rss(("One", "https://example.org/1")))
    arguments = ["-C", str(workspace.folder), "collect", "--why", f"{site.url}/news"]
    told = CliRunner().invoke(cli, arguments, env=workspace.settings)
    wrong = CliRunner().invoke(cli, [*arguments, "saved"], env=workspace.settings)

    assert told.output == run(workspace, "why", f"{site.url}/news")
    assert wrong.exit_code == 2


def test_why_tells_each_step(workspace: Workspace, site: Site) -> None:
    """`why` shows the request, the answer, and of every entry whether it is new; it keeps nothing."""
    site.pages["/news"] = Page(rss(("One", "https://example.org/1")), etag='"v1"')
    path = workspace.folder / "schedules.yaml"
    path.write_text(plan_text(workspace).replace("https://example.com/known.xml", f"{site.url}/news"), encoding="utf-8")

    first = run(workspace, "why", "known")
    assert "never collected so far" in first
    assert f"asks for {site.url}/news\n" in first
    assert "200 application/xml, " in first
    assert "1 entries, 1 of them new" in first
    assert "new   undated    One [url:https://example.org/1]" in first
    assert run(workspace, "why", "known") == first

    CliRunner().invoke(cli, ["-C", str(workspace.folder), "collect", "known"], env=workspace.settings)
    second = run(workspace, "why", f"{site.url}/news#x")  # by its address
    assert 'if changed since the last time (ETag "v1")' in second
    assert "304: unchanged, so collecting it stops here" in second
    assert "the same bytes as when it was last read" in second
    assert "known undated    One" in second


def test_why_tells_what_is_wrong(workspace: Workspace, site: Site) -> None:
    """A source that cannot be fetched or read says so, and so does one whose files are missing."""
    site.pages["/page"] = Page(b"<!doctype html><title>x</title>", content_type="text/html")
    (workspace.folder / "listing.txt").unlink()

    assert "cannot be read as feed: " in run(workspace, "why", f"{site.url}/page")
    assert "404" in run(workspace, "why", f"{site.url}/gone")
    assert "nothing to ask for: no file matches" in run(workspace, "why", "saved")
    with pytest.raises(NotFound, match="there is no source 'blog' in the schedules; there are: saved, known"):
        run(workspace, "why", "blog")


def test_why_tells_of_failures_so_far(workspace: Workspace, site: Site) -> None:
    """How often a source failed in a row, and why, stands before what it does now."""
    path = workspace.folder / "schedules.yaml"
    path.write_text(plan_text(workspace).replace("https://example.com/known.xml", f"{site.url}/gone"), encoding="utf-8")
    CliRunner().invoke(cli, ["-C", str(workspace.folder), "collect", "known"], env=workspace.settings)

    assert "failing, 1 times in a row: could not fetch" in run(workspace, "why", "known")
