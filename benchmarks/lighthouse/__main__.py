# ruff: noqa: S603, T201 - printing and starting programs is what it is for
"""`python -m benchmarks.lighthouse ARCHIVE`: what Lighthouse says of the pages, as of a phone on a slow network.

ARCHIVE is a database as for `benchmarks/web.py`. Lighthouse comes by `npm ci --prefix benchmarks/lighthouse`, and runs
in the Chromium of the machine, which reaches nothing but the pages. Ends with 1 if a score is below 95, but for what a
page that is nobody else's business loses by asking search engines to leave it alone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.web import prepare, served
from newsletter.app import open_app
from newsletter.chromium import INSTALL, find_chromium
from newsletter.config import load_config
from newsletter.links import Purpose
from newsletter.search import search
from newsletter.store.subscribers import Applicant
from newsletter.web.addresses import story_path

WANTED = 95
FOLDER = Path(__file__).parent
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
PRIVATE = "preferences"
READER = "reader@example.org"


def addresses(workspace: Path, settings: dict[str, str]) -> dict[str, str]:
    """The pages, by their names."""
    with open_app(load_config(workspace, settings)) as app:
        subscribers, now = app.store.subscribers, datetime.now(UTC)
        subscribers.add([Applicant(email=READER)], newsletter="papers", confirmed=True, how="benchmark", now=now)
        reader = subscribers.get(READER)
        slot = app.store.issues.public("papers", limit=1)[0].slot
        story = search(app.archive, limit=1)[0].story
        url = settings["NEWSLETTER_BASE_URL"]
        words = "+".join(story.title.split()[:2])
        return {
            "home": f"{url}/papers",
            "archive": f"{url}/papers/archive",
            "a month": f"{url}/papers/archive/{slot[6:13]}",
            "an issue": f"{url}/papers/{slot}",
            "a story": f"{url}{story_path('papers', story.key)}",
            "a topic": f"{url}/papers/topics/topic-3",
            "search": f"{url}/papers/search?q={words}",
            "about": f"{url}/papers/about",
            PRIVATE: app.links.url(Purpose.PREFERENCES, subscriber=reader, newsletter="papers"),
        }


def main() -> int:
    """A table, and what cost points; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lighthouse")
    parser.add_argument("archive", type=Path)
    given = parser.parse_args()
    node, chromium = shutil.which("node"), find_chromium()
    if node is None or not (FOLDER / "node_modules").is_dir():
        sys.exit("Lighthouse is missing: apt-get install nodejs npm; npm ci --prefix benchmarks/lighthouse")
    if chromium is None:
        sys.exit(INSTALL)
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
        free.close()
        settings = prepare(Path(folder), given.archive, "smtp://127.0.0.1:1", f"http://127.0.0.1:{port}")
        pages = addresses(Path(folder), settings)
        with served(Path(folder), settings, port):
            said = subprocess.run(
                [node, "pages.mjs", str(chromium), *pages.values()], check=True, cwd=FOLDER, stdout=subprocess.PIPE
            ).stdout
    print(f"| | {' | '.join(CATEGORIES)} |\n|---|---|---|---|---|")
    low = 0
    seen = [json.loads(line) for line in said.splitlines()]
    for name, one in zip(pages, seen, strict=True):
        scores = one["scores"]
        print(f"| {name} | {' | '.join(str(scores[category]) for category in CATEGORIES)} |")
        low += sum(scores[one] < WANTED for one in CATEGORIES if (name, one) != (PRIVATE, "seo"))
    print()
    for name, one in zip(pages, seen, strict=True):
        for lost in one["lost"]:
            print(f"{name}: {lost}")
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
