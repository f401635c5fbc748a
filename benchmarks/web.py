# ruff: noqa: INP001, S603, T201 - a script that prints and starts programs, not a package
"""What the pages bear: `python benchmarks/web.py ARCHIVE [--seconds 10]`.

ARCHIVE is a database that `benchmarks/search.py DATA --archive ARCHIVE` has filled with stories; a copy of it gets a
plan and issues, and `newsletter serve` serves it as it is started by hand. Each page is asked for by 16 connections, by
wrk (https://github.com/wg/wrk, in Debian as `wrk`) or, where that is missing, by a client of our own, which is slower
than the pages; then with the tag of the last answer; then alone, just after something public has changed. The search
has other words every time. At last 1,000 people sign up at once, and some of them again.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
from newsletter.store import Store
from newsletter.store.issues import Audience
from newsletter.store.revision import Part, renew
from newsletter.web.addresses import story_path

DAYS = 60  # with an issue
STORIES = 20  # in each
CONNECTIONS = 16
PEOPLE = 1_000
AGAIN = 200  # of them
ROUNDS = 20  # of what is asked alone
QUESTIONS = 4_000
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
# wrk's script: the paths of a file in turn, and what was seen as JSON.
SCRIPT = """\
local paths = {{}}
for line in io.lines("{file}") do paths[#paths + 1] = line end
local at = 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
done = function(summary, latency, requests)
  local errors = summary.errors
  local wrong = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('\\n{{"requests": %d, "wrong": %d, "seconds": %f, "p50": %f, "p95": %f}}\\n', summary.requests,
    wrong, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(95) / 1e3))
end
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What was seen of one page; times in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p95: float
    wrong: int  # answers that were none, or neither 200 nor 304


@dataclass(frozen=True, slots=True)
class Server:
    """The pages, as they are served by a process."""

    pid: int
    port: int

    @property
    def busy(self) -> float:
        """Seconds of CPU that it took so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
def served(workspace: Path, settings: dict[str, str], port: int) -> Iterator[Server]:
    """`newsletter serve`, from when it says that it is there."""
    command = [sys.executable, "-m", "newsletter", "-C", str(workspace), "serve", "--listen", str(port)]
    with subprocess.Popen(command, env={"PATH": "", **settings}, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101
            next(line for line in process.stdout if "Ctrl-C" in line)
            yield Server(process.pid, port)
        finally:
            process.terminate()


def load(
    server: Server, paths: Sequence[str], *, seconds: int, folder: Path, connections: int = CONNECTIONS, tag: str = ""
) -> Load:
    """Ask for some paths in turn, again and again, as a browser does: packed, and with a tag where there is one."""
    headers = {"Accept-Encoding": "gzip", **({"If-None-Match": tag} if tag else {})}
    if shutil.which("wrk") is None:
        return _load(server, paths, seconds=seconds, connections=connections, headers=headers)
    (folder / "paths.txt").write_text("\n".join(paths), encoding="utf-8")
    script = folder / "paths.lua"
    script.write_text(SCRIPT.format(file=folder / "paths.txt"), encoding="utf-8")
    said = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), *said]
    output = subprocess.run(
        [*command, f"http://127.0.0.1:{server.port}"], check=True, capture_output=True, text=True
    ).stdout
    return Load(**json.loads(output.strip().rpartition("\n")[2]))


def _load(server: Server, paths: Sequence[str], *, seconds: int, connections: int, headers: dict[str, str]) -> Load:
    """The same by threads of this process."""
    took: list[float] = []
    wrong = Counter[bool]()
    turn = iter(range(sys.maxsize))
    over = time.perf_counter() + seconds

    def ask() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        while time.perf_counter() < over:
            began = time.perf_counter()
            connection.request("GET", paths[next(turn) % len(paths)], headers=headers)
            answer = connection.getresponse()
            answer.read()
            took.append((time.perf_counter() - began) * 1_000)
            wrong[answer.status not in (200, 304)] += 1
        connection.close()

    began = time.perf_counter()
    threads = [threading.Thread(target=ask) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    p50, p95 = _percentiles(took)
    return Load(len(took), time.perf_counter() - began, p50, p95, wrong[True])


def alone(server: Server, path: str, *, store: Store) -> list[float]:
    """Milliseconds of one request after another, each just after something public has changed."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    took = []
    for _ in range(ROUNDS):
        with store.db.writing() as transaction:
            for part in Part:
                renew(store.db, transaction, part)
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        connection.getresponse().read()
        took.append((time.perf_counter() - began) * 1_000)
    connection.close()
    return took


def _percentiles(values: Sequence[float]) -> tuple[float, float]:
    return statistics.median(values), sorted(values)[len(values) * 95 // 100]


def fetch(server: Server, path: str) -> tuple[str, int, int]:
    """The tag of a page, and its bytes, packed and not."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    whole = gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body
    return answer.headers["ETag"] or "", len(body), len(whole)


def questions(app: App) -> list[str]:
    """The search for one to four words of other titles each time."""
    titles = [found.story.title for found in search(app.archive, limit=QUESTIONS)]
    asked = [" ".join(title.split()[: 1 + number % 4]) for number, title in enumerate(titles)]
    return [f"/papers/search?q={quote(text)}" for text in dict.fromkeys(asked)]


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


def burst(port: int, people: int) -> str:
    """So many sign-ups from as many networks, 50 at a time; what was answered, and in which time."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/papers/subscribe")
    stamp = re.search(r'name="page" value="([^"]+)"', connection.getresponse().read().decode())
    connection.close()
    assert stamp is not None  # noqa: S101
    time.sleep(2)  # nobody types an address in less than a second
    began = time.perf_counter()
    with ThreadPoolExecutor(50) as pool:
        answers = Counter(pool.map(lambda number: sign_up(port, stamp[1], number), range(people)))
    told = ", ".join(f"{count:,} x {status}" for status, count in sorted(answers.items()))
    return f"{people:,} sign-ups: {told}, in {time.perf_counter() - began:.1f} s"


def settled(count: Callable[[], int]) -> int:
    """A number, when it has not grown for five seconds."""
    before = -1
    while (now := count()) != before:
        before = now
        time.sleep(5)
    return now


def show(name: str, *cells: str) -> None:
    """A row of a table."""
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def table(server: Server, pages: dict[str, list[str]], *, seconds: int, folder: Path, tagged: bool) -> None:
    """Each page under load."""
    show("", "a second", "p50 ms", "p95 ms", "CPU µs", "wrong")
    print("|---|---|---|---|---|---|")
    for name, paths in pages.items():
        tag = fetch(server, paths[0])[0] if tagged else ""
        busy = server.busy
        seen = load(server, paths, seconds=seconds, folder=folder, tag=tag)
        cpu = (server.busy - busy) / max(seen.requests, 1) * 1e6
        rate = f"{seen.requests / seen.seconds:,.0f}"
        show(name, rate, f"{seen.p50:.1f}", f"{seen.p95:.1f}", f"{cpu:,.0f}", f"{seen.wrong:,}")


def main() -> None:
    """Every page, then the search, then the burst."""
    parser = argparse.ArgumentParser()
    parser.add_argument("archive", type=Path)
    parser.add_argument("--seconds", type=int, default=10)
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        print("wrk is missing (apt-get install wrk): a client of our own asks, and is the slower of the two\n")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        mailbox = opened.enter_context(open_mailbox(folder / "mailbox", port=0))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        settings = prepare(folder, given.archive, mailbox.url, f"http://127.0.0.1:{port}")
        app = opened.enter_context(open_app(load_config(folder, settings)))
        searches = questions(app)
        slot = app.store.issues.public("papers", limit=1)[0].slot
        story = search(app.archive, limit=1)[0].story
        pages = {
            "home": ["/papers"],
            "archive": ["/papers/archive"],
            "a month": [f"/papers/archive/{slot[6:13]}"],
            "a day": [f"/papers/archive/{slot[6:]}"],
            "an issue": [f"/papers/{slot}"],
            "its picture": [f"/papers/{slot}.png"],
            "a story": [story_path("papers", story.key)],
            "a topic": ["/papers/topics/topic-3"],
            "Atom feed": ["/papers/feed.atom"],
            "JSON Feed": ["/papers/feed.json"],
        }
        began = time.perf_counter()
        server = opened.enter_context(served(folder, settings, port))
        while load(server, searches[-1:], seconds=1, folder=folder, connections=1).wrong:
            pass  # it reads the archive
        print(
            f"{len(app.archive.index()):,} stories, {DAYS} issues; searched {time.perf_counter() - began:.0f} s", end=""
        )
        print(f" after the start; load of the machine {os.getloadavg()[0]:.1f}\n")
        table(server, pages, seconds=given.seconds, folder=folder, tagged=False)
        print("\nwith the tag of the last answer:\n")
        table(server, pages, seconds=given.seconds, folder=folder, tagged=True)
        print("\nalone, after a change:\n")
        show("", "p50 ms", "p95 ms", "CPU ms", "kB", "kB packed")
        print("|---|---|---|---|---|---|")
        for name, (path,) in pages.items():
            busy = server.busy
            p50, p95 = _percentiles(alone(server, path, store=app.store))
            cpu = (server.busy - busy) / ROUNDS * 1e3
            _, packed, whole = fetch(server, path)
            show(name, f"{p50:.1f}", f"{p95:.1f}", f"{cpu:.1f}", f"{whole / 1_000:.1f}", f"{packed / 1_000:.1f}")
        print("\nsearch, another question each time:\n")
        show("connections", "a second", "p50 ms", "p95 ms", "CPU ms", "wrong")
        print("|---|---|---|---|---|---|")
        for connections in (1, 2, CONNECTIONS):
            some, searches = searches[: len(searches) // 2], searches[len(searches) // 2 :]
            busy = server.busy
            seen = load(server, some, seconds=given.seconds, folder=folder, connections=connections)
            cpu = (server.busy - busy) / max(seen.requests, 1) * 1e3
            rate = f"{seen.requests / seen.seconds:,.0f}"
            show(str(connections), rate, f"{seen.p50:.1f}", f"{seen.p95:.1f}", f"{cpu:.1f}", f"{seen.wrong:,}")
        print(f"\n{burst(port, PEOPLE)}")
        print(f"letters that went out for them: {settled(lambda: len(mailbox.messages())):,}")
        print(burst(port, AGAIN))
        print(f"letters in all: {settled(lambda: len(mailbox.messages())):,}")


if __name__ == "__main__":
    main()
