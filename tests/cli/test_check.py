from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from newsletter.cli import cli
from newsletter.render.lint import spam
from tests.sites import Page, Site
from tests.workspaces import Workspace, make_workspace

pytestmark = pytest.mark.long

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>A weblog</title>
<item><title>A language model that answers</title><link>{site}/answers</link><description>An LLM.</description></item>
<item><title>A language model that is gone</title><link>{site}/gone</link><description>An LLM.</description></item>
</channel></rss>"""
# The same as `mj-preview` comes to: white text of one pixel on white.
PALE = '<div style="font-size:1px;color:#ffffff;background-color:#ffffff">Buy now, no obligation, act now</div>'


def run(workspace: Workspace, *arguments: str, status: int = 0) -> str:
    """What `newsletter check` printed on standard output; it must end with `status`."""
    command = ["-C", str(workspace.folder), *arguments]
    ours = {name: None for name in os.environ if name.startswith("NEWSLETTER_")}
    outcome = CliRunner(env=ours).invoke(cli, command, env=workspace.settings)
    if outcome.exception is not None and not isinstance(outcome.exception, SystemExit):
        raise outcome.exception
    assert outcome.exit_code == status, outcome.output
    return outcome.output


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with nothing wrong in it."""
    return make_workspace(tmp_path / "workspace")


def own_theme(workspace: Workspace, *, mjml: str) -> None:
    """Give the newsletter a theme of its own: the bundled `plain` one, with this before its foot."""
    theme = workspace.folder / "templates" / "email" / "mine"
    theme.mkdir(parents=True)
    foot = '    <mj-include path="../parts/foot.mjml.j2" />'
    bundled = Path(__file__).parents[2] / "templates" / "email" / "plain"
    for path in bundled.iterdir():
        source = path.read_text("utf-8")
        (theme / path.name).write_text(source.replace(foot, f"{mjml}\n{foot}"), encoding="utf-8")
    plan = workspace.folder / "schedules.yaml"
    plan.write_text(plan.read_text("utf-8").replace("    sources:", "    theme: mine\n    sources:"), encoding="utf-8")


def test_nothing_is_wrong(workspace: Workspace) -> None:
    """A clean workspace is told so, and each bundled theme has neither errors nor warnings."""
    told = run(workspace, "check", "--no-spam")

    assert told.splitlines() == [
        "daily-papers: theme papers renders",
        "schedules.yaml: good, with 1 source, 1 schedule",
        "0 errors, 0 warnings",
    ]
    for theme in ("papers", "news", "plain"):
        assert run(workspace, "check", "--no-spam", "--theme", theme).endswith("0 errors, 0 warnings\n")


def test_a_mistake_in_a_theme_is_told_once(workspace: Workspace) -> None:
    """An error in the source has its file and line; what samples show is told once for all of them. Status 2."""
    own_theme(
        workspace,
        mjml='    <mj-section padding="0">\n      <mj-column widht="10px">\n'
        '        <mj-text><a href="https://example.org/x"></a><p style="color:#cccccc">pale</p></mj-text>\n'
        "      </mj-column>\n    </mj-section>",
    )
    told = run(workspace, "check", "--no-spam", status=2)
    lines = told.splitlines()

    assert lines[0] == "errors"
    (attribute,) = [line for line in lines if ": mjml-attribute: " in line]
    place = attribute.split(": ")[0]
    source = (workspace.folder / "templates" / "email" / "mine" / "issue.mjml.j2").read_text("utf-8").splitlines()
    assert place.startswith("email/mine/issue.mjml.j2:")
    assert "widht" in source[int(place.rpartition(":")[2]) - 1]
    assert "did you mean width?" in attribute
    assert len([line for line in lines if ": link-text: " in line]) == 1
    assert "    also in daily-papers-arabic.html, daily-papers-empty.html, daily-papers-hostile.html" in lines
    assert lines.index("warnings") > lines.index(attribute)
    assert any(": mjml-zero: " in line for line in lines[lines.index("warnings") :])
    assert "daily-papers: theme mine renders" in lines


def test_warnings_alone_are_no_failure(workspace: Workspace) -> None:
    """With nothing but warnings the exit status is 0."""
    own_theme(workspace, mjml='    <mj-section padding="0"></mj-section>')

    assert run(workspace, "check", "--no-spam").endswith("0 errors, 1 warning\n")


def test_a_theme_that_cannot_be_rendered(workspace: Workspace) -> None:
    """It is a finding with its place among the others, and not the end of the command."""
    own_theme(workspace, mjml="    <mj-raw>{{ nothing }}</mj-raw>")
    told = run(workspace, "check", "--no-spam", status=2)

    assert "email/mine/issue.mjml.j2:" in told
    assert ": render: 'nothing' is undefined" in told
    assert "renders" not in told
    assert "schedules.yaml: good" in told


def test_a_theme_that_is_no_text(workspace: Workspace) -> None:
    """A file that is not UTF-8 is told as such."""
    own_theme(workspace, mjml="")
    (workspace.folder / "templates" / "email" / "mine" / "card.mjml.j2").write_bytes(b"<mj-text>\xff</mj-text>")

    assert ": render: UnicodeDecodeError" in run(workspace, "check", "--no-spam", status=2)


def test_for_scripts(workspace: Workspace) -> None:
    """With --json each finding is an object with all that is known of it."""
    own_theme(workspace, mjml="    <mj-sectoin />")
    told = json.loads(run(workspace, "check", "--no-spam", "--json", status=2))
    first = told["findings"][0]

    assert first["rule"] == "mjml-tag"
    assert (first["path"], first["severity"]) == ("email/mine/issue.mjml.j2", "error")
    assert set(first) == {"rule", "path", "line", "what", "why", "mend", "severity"}
    assert "schedules.yaml: good, with 1 source, 1 schedule" in told["notes"]


def test_a_theme_by_its_name(workspace: Workspace) -> None:
    """A theme that is not there is told with those that are; one that nobody uses is looked at alone."""
    own_theme(workspace, mjml="    <mj-sectoin />")

    assert "there are letters" not in run(workspace, "check", "--theme", "gone", status=2)
    assert "mine, news, papers, plain" in run(workspace, "check", "--theme", "gone", status=2)
    assert "mj-sectoin" not in run(workspace, "check", "--no-spam", "--theme", "news")


def test_mails_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    """The lines of findings in a page are those of the file that --out keeps."""
    own_theme(workspace, mjml="    <mj-section><mj-column><mj-text><img></mj-text></mj-column></mj-section>")
    told = json.loads(run(workspace, "check", "--no-spam", "--json", "--out", str(tmp_path / "out"), status=2))
    (finding,) = [one for one in told["findings"] if one["rule"] == "image-alt" and "ordinary" in one["path"]]

    assert "<img" in (tmp_path / "out" / finding["path"]).read_text("utf-8").split("\n")[finding["line"] - 1]
    assert (tmp_path / "out" / "daily-papers-hostile.eml").read_bytes().startswith(b"To: ")
    assert (tmp_path / "out" / "letter-confirmation.txt").exists()


@pytest.fixture
def linked(workspace: Workspace, site: Site) -> Workspace:
    """A workspace that has collected two stories of a site, one of which is gone since."""
    site.pages |= {
        "/feed": Page(body=FEED.format(site=site.url).encode()),
        "/answers": Page(body=b"here"),
        "/own": Page(body=b"the newsletter's own pages"),
    }
    plan = workspace.folder / "schedules.yaml"
    saved = 'saved: {kind: listing, path: "listing.txt"}'
    plan.write_text(
        plan.read_text("utf-8").replace(saved, f'saved: {{kind: feed, url: "{site.url}/feed"}}'), encoding="utf-8"
    )
    workspace = replace(workspace, settings={**workspace.settings, "NEWSLETTER_BASE_URL": f"{site.url}/own"})
    allowed = replace(workspace, settings={**workspace.settings, "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"})
    run(allowed, "collect")
    site.asked.clear()
    return allowed


def test_links_are_asked(linked: Workspace, site: Site) -> None:
    """Each link of the issue of today is asked once, of our own pages one for all; dead ones are told."""
    told = json.loads(run(linked, "check", "--no-spam", "--links", "--json"))
    dead = [finding["what"] for finding in told["findings"] if finding["rule"] == "dead-link"]

    assert dead == [f"{site.url}/gone: could not fetch {site.url}/gone: 404 Not Found"]
    assert sorted(site.asked) == ["/answers", "/gone", "/own"]
    assert any(note.endswith("2 of 3 links answer") for note in told["notes"])


def test_private_addresses_are_not_asked(linked: Workspace, site: Site) -> None:
    """A link into a private network is refused before there is any connection."""
    outside = replace(linked, settings={**linked.settings, "NEWSLETTER_ALLOW_NETWORKS": ""})
    told = json.loads(run(outside, "check", "--no-spam", "--links", "--json"))
    dead = [finding["what"] for finding in told["findings"] if finding["rule"] == "dead-link"]

    assert len(dead) == 3
    assert all("127.0.0.1 is a private address" in what for what in dead)
    assert site.asked == []


def test_without_an_issue(workspace: Workspace) -> None:
    """When nothing new was collected, there is nothing to ask, and that is said."""
    assert "daily-papers: no issue now: " in run(workspace, "check", "--no-spam", "--links")


@pytest.mark.skipif(not spam.is_installed(), reason="needs spamassassin: install the Debian package spamassassin")
def test_spam_is_told_with_its_rules(workspace: Workspace) -> None:
    """SpamAssassin looks at every mail where it is installed; what it holds against one is a warning."""
    own_theme(workspace, mjml=f"    <mj-raw>{PALE}</mj-raw>")
    told = json.loads(run(workspace, "check", "--theme", "mine", "--json", status=2))
    scores = [finding for finding in told["findings"] if finding["rule"] == "spam-score"]

    assert {finding["path"] for finding in scores} == {
        f"mine-{name}.eml" for name in ("ordinary", "empty", "arabic", "hostile")
    }
    assert all("HTML_FONT_LOW_CONTRAST" in finding["what"] for finding in scores)
    assert all(finding["severity"] == "warning" for finding in scores)
    assert "SpamAssassin: looked at 4 mails" in told["notes"]


def test_without_spamassassin(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is missing, a line says so; one that fails is no failure of ours."""
    monkeypatch.setenv("PATH", str(tmp_path))
    missing = run(workspace, "check", "--spam")
    program = tmp_path / "spamassassin"
    program.write_text("#!/bin/sh\necho no rules >&2\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    failing = run(workspace, "check")

    assert "SpamAssassin: skipped, since spamassassin is not on the PATH" in missing
    assert "SpamAssassin: skipped, since spamassassin ended with 3: no rules" in failing
