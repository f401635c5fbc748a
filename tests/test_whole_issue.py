from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from newsletter.codec import decode
from newsletter.model import Issue
from tests.sites import Page, Site
from tests.workspaces import Workspace

pytestmark = pytest.mark.long

PLAN = """\
newsletters:
  daily-papers:
    title: Daily Papers
    from: "Daily Papers <papers@example.org>"
    sources: [hf, broken-day, saved, arxiv]
    topics: [models, vision]
sources:
  hf:         {{kind: huggingface, url: "{url}", date: "2026-02-27"}}
  broken-day: {{kind: huggingface, url: "{url}", date: "2024-12-11"}}
  saved:      {{kind: listing, path: "{data}/listings/*.txt"}}
  arxiv:      {{kind: arxiv, path: "{data}/arxiv_rss/*.xml"}}
topics:
  models: {{title: Language models, keywords: [LLM, language model, agent, reasoning]}}
  vision: {{title: Vision, keywords: [image, video, visual, vision, 3D]}}
schedules:
  morning: {{newsletter: daily-papers, every: day, at: "08:00", timezone: UTC}}
"""


def test_the_demonstration_in_an_empty_folder(tmp_path: Path) -> None:
    """Three kinds of feed over HTTP, 25 readers over SMTP; a second run sends nothing and says why."""
    workspace = Workspace(tmp_path)

    first = workspace.run("demo")
    second = workspace.run("demo")

    assert "sent 25 messages now" in first
    assert "3 of them duplicates" in first
    assert "next slot of weekday-morning" in first
    assert "sent nothing now" in second
    assert "nobody gets it twice" in second
    mails = list((tmp_path / "newsletter-demo" / "mailbox" / "new").iterdir())
    assert len(mails) == 25
    assert "<h1" in (tmp_path / "newsletter-demo" / "issue.html").read_text("utf-8")


def test_real_input_becomes_an_issue(tmp_path: Path, shared_data: Path, site: Site) -> None:
    """Real listings, a real day of Hugging Face and real arXiv metadata give one issue without repetitions."""
    for day in ("2026-02-27", "2024-12-11"):
        body = (shared_data / "huggingface_daily" / f"{day}.json").read_bytes()
        site.pages[f"/api/daily_papers?date={day}"] = Page(body, content_type="application/json")
    settings = {"NEWSLETTER_SECRET_KEY": "test", "NEWSLETTER_ALLOW_NETWORKS": "127.0.0.0/8"}
    workspace = Workspace(tmp_path, settings)
    (tmp_path / "schedules.yaml").write_text(PLAN.format(url=site.url, data=shared_data), encoding="utf-8")
    workspace.run("init")

    collected = workspace.run("collect", status=3)
    workspace.run("preview", "daily-papers", "--no-collect", "--no-pictures", "--out", str(tmp_path / "out"))

    issue = decode(Issue, (tmp_path / "out" / "issue.json").read_text("utf-8"))
    titles = [story.title for story in issue.stories]
    html = (tmp_path / "out" / "issue.html").read_text("utf-8")
    assert "hf: 16 entries, 16 new" in collected
    assert "broken-day: FAILED: " in collected
    assert "saved: 468 entries, 396 new" in collected
    assert "arxiv: 334 entries, 334 new" in collected
    assert len(titles) == len(set(titles)) == 20  # as many as an issue holds
    assert {section.title for section in issue.sections} == {"Language models", "Vision", "More papers"}
    assert issue.headline == "The Trinity of Consistency as a Defining Principle for General World Models"
    assert len(html.encode()) < 95_000
    assert not re.search(r"SubscribeTP-Aware|avatarUrl|\bhidden\b.*True", html)


def test_python_m_newsletter() -> None:
    """`python -m newsletter` is the same program."""
    done = subprocess.run(Workspace(Path()).command("--version"), capture_output=True, text=True, check=True)

    assert re.search(r"newsletter, version \d+\.\d+\.\d+", done.stdout)
