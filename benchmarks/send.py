# ruff: noqa: INP001, T201, S603 - a script that starts what it compares with
"""How fast an issue is delivered: `python benchmarks/send.py [--count 20000] [--connections 16] [--delay 0]`.

One issue of 60 KB, multipart, five values each reader's own, to a mail server that takes everything and keeps nothing
(smtp/sink.c; `--delay` milliseconds of round trip). Ours is the whole of stage 4: recipients from the ledger, messages
assembled, each one started and marked in SQLite. Beside it what else sends mail, without any ledger: the standard
library with a Jinja template and an EmailMessage, the same with bytes that are ready, and nodemailer's pool where node
and npm are there. CPU seconds are those of the sender.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import smtplib
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import assemble

from newsletter.deliver import deliver
from newsletter.links import Links
from newsletter.mail.smtp import open_smtp
from newsletter.model import Newsletter, Slotted, Verdict
from newsletter.store import migrate, open_store
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant

FOLDER = Path(__file__).parent / "smtp"
assemble.SIZE = 43_000  # of HTML: with the text and both parts encoded, a message of 60 KB


@dataclass(frozen=True, slots=True)
class Sent:
    """How long it took, CPU of the sender, its most resident memory in MB."""

    seconds: float
    cpu: float
    memory: float


def ours(port: int, count: int, connections: int) -> Sent:
    """Stage 4, whole."""
    now = datetime(2026, 11, 20, 8, tzinfo=UTC)
    newsletter = Newsletter(name="daily", title="Daily Papers", sender="Daily Papers <papers@example.org>")
    with tempfile.TemporaryDirectory() as folder, closing(open_store(f"sqlite:///{folder}/bench.db")) as store:
        migrate.upgrade(store.db)
        readers = (Applicant(email=f"reader{number}@example.org", name="Reader") for number in range(count))
        store.subscribers.add(list(readers), newsletter="daily", confirmed=True, how="benchmark", now=now)
        issue = assemble.an_issue(4)
        number, _ = store.issues.publish(
            issue, assemble.rendered(), newsletter=newsletter, audience=Audience(at=now), now=now
        )
        links = Links(base_url="https://papers.example.org", keys=("a key of this benchmark",))
        send = open_smtp(f"smtp://127.0.0.1:{port}?connections={connections}")
        began = _spent()
        delivered = deliver(number, send=send, links=links, store=store, clock=lambda: now)
        sent = _since(began)
        assert delivered.outcomes == {Verdict.SENT: count}, delivered  # noqa: S101
    return sent


def standard_library(port: int, count: int, connections: int) -> Sent:
    """Smtplib in threads, each message made by a template and EmailMessage."""
    message = assemble.usual(assemble.rendered())
    return _threads(port, count, connections, message)


def ready_bytes(port: int, count: int, connections: int) -> Sent:
    """Smtplib in threads, with one message that is ready."""
    data = assemble.usual(assemble.rendered())(1)
    return _threads(port, count, connections, lambda _: data)


def nodemailer(port: int, count: int, connections: int) -> Sent:
    """Nodemailer's pool, which composes each message."""
    issue = assemble.rendered()

    def template(kind: str) -> str:
        pieces = (piece for fragment in issue.fragments for piece in getattr(fragment, kind))
        return "".join(f"{{{{ {piece.token} }}}}" if isinstance(piece, Slotted) else piece for piece in pieces)

    told = {"subject": issue.subject, "html": template("html"), "text": template("text"), "values": assemble.TOKENS}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(told, file)
        file.flush()
        command = ["node", str(FOLDER / "nodemailer.mjs"), str(port), str(count), str(connections), file.name]
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds = float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sent(seconds, cpu, after.ru_maxrss / 1024)


def _threads(port: int, count: int, connections: int, message: Callable[[int], bytes]) -> Sent:
    def work(start: int) -> None:
        with smtplib.SMTP("127.0.0.1", port) as server:
            for number in range(start, count, connections):
                server.sendmail("papers@example.org", [f"reader{number}@example.org"], message(number))

    threads = [threading.Thread(target=work, args=(start,)) for start in range(connections)]
    began = _spent()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _since(began)


def _spent() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> Sent:
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Sent(time.perf_counter() - began[0], time.process_time() - began[1], memory)


@contextmanager
def sink(program: Path, delay: float) -> Iterator[int]:
    """The mail server; its port."""
    with subprocess.Popen([program, "0", str(delay)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None  # noqa: S101
        yield int(process.stdout.readline())
        process.terminate()


def _alone(way: Callable[[int, int, int], Sent], port: int, count: int, connections: int) -> Sent:
    """In a process of its own."""
    here, there = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_tell, args=(there, way, port, count, connections))
    process.start()
    sent: Sent = here.recv()
    process.join()
    return sent


def _tell(there: Connection, way: Callable[[int, int, int], Sent], port: int, count: int, connections: int) -> None:
    there.send(way(port, count, connections))


def main() -> None:
    """Each way once a round, in turn; the median round of each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--delay", type=float, default=0, help="milliseconds of round trip")
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    ways: dict[str, tuple[Callable[[int, int, int], Sent], int]] = {
        "newsletter, with ledger": (ours, given.count),
        "smtplib, ready bytes": (ready_bytes, given.count // 10),
        "smtplib, Jinja2, EmailMessage": (standard_library, given.count // 20),
    }
    if shutil.which("node") and (FOLDER / "node_modules").is_dir():
        ways["nodemailer pool"] = nodemailer, given.count // 20
    else:
        print(f"# without nodemailer: `npm install` in {FOLDER} brings it")
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "sink"
        subprocess.run(["cc", "-O2", "-o", program, FOLDER / "sink.c"], check=True)  # noqa: S607
        found: dict[str, list[tuple[int, Sent]]] = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, (way, count) in ways.items():
                with sink(program, given.delay) as port:
                    found[name].append((count, _alone(way, port, count, given.connections)))
    print(f"{'way':32} {'messages':>9} {'a second':>9} {'CPU µs':>8} {'MB':>6}   times")
    first = 0.0
    for name, rounds in found.items():
        count, sent = sorted(rounds, key=lambda told: told[1].seconds)[len(rounds) // 2]
        rate = count / sent.seconds
        first = first or rate
        spent = sent.cpu / count * 1e6
        print(f"{name:32} {count:>9,} {rate:>9,.0f} {spent:>8,.0f} {sent.memory:>6,.0f} {first / rate:>7.1f}")


if __name__ == "__main__":
    main()
