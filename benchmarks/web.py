# ruff: noqa: INP001, S603, T201 - a script that prints and starts programs, not a package
"""What the pages bear: `python benchmarks/web.py ARCHIVE [--seconds 10]`.

ARCHIVE is a database that `benchmarks/search.py DATA --archive ARCHIVE` has filled with stories; a copy of it gets a
plan and issues, and `newsletter serve` serves it as it is started by hand. wrk (https://github.com/wg/wrk, in Debian as
`wrk`) asks each page from 16 connections, and the search with other words every time. Then 1,000 people sign up at
once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlencode

from newsletter.app import App, open_app
from newsletter.config import load_config
from newsletter.mail.mailbox import open_mailbox
from newsletter.model import Issue, Section, Slot
from newsletter.search import Filters, search
from newsletter.store.issues import Audience

DAYS = 60  # with an issue
STORIES = 20  # in each
CONNECTIONS = 16
PEOPLE = 1_000
PLAN = """\
newsletters:
  papers:
    title: Papers
    from: "Papers <papers@example.org>"
    sources: [{sources}]
    topics: [{topics}]
sources:
{listings}
topics:
{described}
schedules:
  daily: {{newsletter: papers, every: day, at: "08:00"}}
"""
# wrk's script: a question of a file at a time.
QUESTIONS = """\
local paths = {{}}
for line in io.lines("{file}") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw of one page."""

    a_second: float
    median: str
    slow: str  # the 99th percentile
    wrong: int  # answers that were none, or no 200


def prepare(workspace: Path, archive: Path, smtp_url: str, url: str) -> dict[str, str]:
    """A workspace around a copy of the archive; the settings that its commands run with."""
    shutil.copy(archive, workspace / "newsletter.db")
    sources = [f"source-{number}" for number in range(8)]
    topics = [f"topic-{number}" for number in range(12)]
    plan = PLAN.format(
        sources=", ".join(sources),
        topics=", ".join(topics),
        listings="\n".join(f'  {name}: {{kind: listing, path: "none.txt"}}' for name in sources),
        described="\n".join(f"  {name}: {{title: Topic {name[6:]}, keywords: [word{name[6:]}]}}" for name in topics),
    )
    (workspace / "schedules.yaml").write_text(plan, encoding="utf-8")
    settings = {"NEWSLETTER_SECRET_KEY": "x", "NEWSLETTER_BASE_URL": url, "NEWSLETTER_SMTP_URL": smtp_url}
    with open_app(load_config(workspace, settings), migrated=True) as app:
        publish(app)
    return settings


def publish(app: App) -> None:
    """An issue for each of the last days, of the stories of those days."""
    newest = search(app.archive, filters=Filters(), limit=DAYS * STORIES)
    for number in range(DAYS):
        stories = [found.story for found in newest[number * STORIES : (number + 1) * STORIES]]
        day: date = newest[0].day - timedelta(days=number)
        at = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=8)
        section = Section(
            topic="topic-1", title="Topic 1", stories=tuple(replace(story, standing=50) for story in stories)
        )
        slot = Slot(newsletter="papers", schedule="daily", date=day, at=at)
        issue = Issue(slot=slot, title="Papers", preheader="Twenty papers", sections=(section,))
        app.publish(issue, audience=Audience(at=at), now=at)


@contextmanager
def served(workspace: Path, settings: dict[str, str], port: int) -> Iterator[None]:
    """`newsletter serve`, from when it says that it is there."""
    command = [sys.executable, "-m", "newsletter", "-C", str(workspace), "serve", "--listen", str(port)]
    with subprocess.Popen(command, env={"PATH": "", **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            next(line for line in process.stdout if "Ctrl-C" in line)
            yield
        finally:
            process.terminate()


def load(url: str, *, seconds: int, script: Path | None = None) -> Load:
    """Ask one page again and again."""
    command = [
        "wrk",
        "-t1",
        f"-c{CONNECTIONS}",
        f"-d{seconds}s",
        "--latency",
        *(["-s", str(script)] if script else []),
        url,
    ]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    return Load(
        a_second=float(re.findall(r"Requests/sec:\s+([\d.]+)", said)[0]),
        median=re.findall(r"50%\s+(\S+)", said)[0],
        slow=re.findall(r"99%\s+(\S+)", said)[0],
        wrong=sum(map(int, errors.groups())) if errors else int(refused[1]) if refused else 0,
    )


def questions(app_archive: Path, folder: Path) -> Path:
    """A script that asks for the words of other titles each time."""
    with open_app(load_config(app_archive, {"NEWSLETTER_SECRET_KEY": "x"})) as app:
        titles = [found.story.title for found in search(app.archive, limit=400)]
    paths = folder / "paths.txt"
    paths.write_text("\n".join(f"/papers/search?q={quote(' '.join(title.split()[:3]))}" for title in titles), "utf-8")
    script = folder / "questions.lua"
    script.write_text(QUESTIONS.format(file=paths), encoding="utf-8")
    return script


def sign_up(port: int, page: str, number: int) -> int:
    """One person, each from a network of their own; the status of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = urlencode({"email": f"person{number}@example.org", "page": page, "language": "en", "website": ""})
    network = f"198.{18 + number // 250}.{number % 250}.7"
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": network}
    connection.request("POST", "/papers/subscribe", body=body, headers=headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.status


def burst(port: int) -> None:
    """A thousand sign-ups from as many networks, 50 at a time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/papers/subscribe")
    stamp = re.search(r'name="page" value="([^"]+)"', connection.getresponse().read().decode())
    assert stamp is not None  # noqa: S101
    time.sleep(2)  # nobody types an address in less than a second
    began = time.perf_counter()
    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(lambda number: sign_up(port, stamp[1], number), range(PEOPLE)))
    print(f"\n{PEOPLE:,} sign-ups at once: {json.dumps(dict(answers))} in {time.perf_counter() - began:.1f} s")


def main() -> None:
    """Every page, then the burst."""
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        sys.exit("wrk is missing: apt-get install wrk")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        mailbox = opened.enter_context(open_mailbox(folder / "mailbox", port=0))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        url = f"http://127.0.0.1:{port}"
        settings = prepare(folder, given.archive, mailbox.url, url)
        script = questions(folder, folder)
        opened.enter_context(served(folder, settings, port))
        load(f"{url}/papers/search?q=first", seconds=1)  # which makes what the others use
        with open_app(load_config(folder, settings)) as app:
            slot = app.store.issues.public("papers", limit=1)[0].slot
        pages = {
            "home": "/papers",
            "archive": "/papers/archive",
            "a month": f"/papers/archive/{slot[6:13]}",
            "an issue": f"/papers/{slot}",
            "a feed": "/papers/feed.atom",
        }
        print(f"{'':12} {'a second':>9} {'median':>9} {'99 %':>9} {'wrong':>6}")
        for name, path in pages.items():
            show(name, load(url + path, seconds=given.seconds))
        show("search", load(url, seconds=given.seconds, script=script))
        burst(port)
        time.sleep(5)
        print(f"letters that went out for them within five seconds: {len(mailbox.messages()):,}")


def show(name: str, seen: Load) -> None:
    """A line of the table."""
    print(f"{name:12} {seen.a_second:9,.0f} {seen.median:>9} {seen.slow:>9} {seen.wrong:6}")


if __name__ == "__main__":
    main()
