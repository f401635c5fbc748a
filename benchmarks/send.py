# ruff: noqa: INP001, T201 - a script that prints
"""How fast an issue is delivered, beside what else sends mail: `python benchmarks/send.py [--markdown]`.

One issue as messages of 60 KB, multipart, five values each reader's own. Ours is the whole of stage 4: recipients from
the ledger, messages assembled, each one started and marked in SQLite; the others keep no ledger. Each part is one mail
server, and everything in it is sent there in turn, round after round; printed is the median round. CPU is that of the
sender alone. What is not installed is named with how to get it. `--only TITLE` runs parts by words of their titles,
`--scale 0.2` with a fifth of the messages.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.smtp import Job, Missing, Sent, kit, ours, peers, sinks

LEAST = 20  # messages of a row, however small the scale

Way = Callable[[Job], Sent]
Sink = Callable[[Path], AbstractContextManager[sinks.Running]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A way to send so many messages; the changes are those of the part's job. `needs` raises Missing beforehand."""

    name: str
    way: Way
    count: int
    signed: str = ""
    chunking: int = 0
    processes: int = 1
    connections: int = 0  # 0: those of the part
    needs: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a row has to reach: so many times the rate of the best of the others, or at most so much of its CPU."""

    what: str
    row: str
    others: tuple[str, ...]
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A mail server, and what is sent to it."""

    title: str
    sink: Sink
    rows: tuple[Row, ...]
    connections: int = 16
    starttls: bool = False
    rounds: int = 3
    targets: tuple[Target, ...] = ()


OURS = "newsletter, with its ledger"
TWO = "newsletter, two processes"
BDAT = "newsletter, BDAT, 8 at once"
TWO_BDAT = "newsletter, two processes, BDAT"
ALONE = "its SMTP client alone, ready"
FLOOR = "a program in C, pipelined, ready"
SOURCE = "postfix's smtp-source"
LISTMONK = "listmonk's way, in Go"
NODEMAILER = "nodemailer's pool"
NODEMAILER_READY = "nodemailer's pool, ready"
SMTPLIB = "smtplib, Jinja2 and EmailMessage"
SMTPLIB_READY = "smtplib, ready"
AIO = "aiosmtplib, Jinja2 and EmailMessage"
AIO_READY = "aiosmtplib, ready"
RSA, RSA_TWO = "newsletter, RSA", "newsletter, RSA, two processes"
ED25519, ED25519_TWO = "newsletter, Ed25519", "newsletter, Ed25519, two processes"
NODEMAILER_RSA = "nodemailer's pool, RSA"
COMPOSING = (LISTMONK, NODEMAILER, SMTPLIB, AIO)


def parts() -> Iterator[Part]:
    """All of it, in the order of the table."""
    yield Part(
        title="A fast server, no delay",
        sink=lambda folder: sinks.fast(folder, chunking=True),
        rows=(
            Row(name=OURS, way=ours.newsletter, count=40_000),
            Row(name=TWO, way=ours.newsletter, count=40_000, processes=2, connections=8),
            Row(name=BDAT, way=ours.newsletter, count=40_000, chunking=8),
            Row(name=TWO_BDAT, way=ours.newsletter, count=40_000, chunking=8, processes=2, connections=8),
            Row(name=ALONE, way=ours.client, count=20_000),
            Row(name=FLOOR, way=peers.c_source, count=20_000),
            Row(name=SOURCE, way=peers.smtp_source, count=10_000),
            Row(name=LISTMONK, way=peers.listmonk_way, count=2_000),
            Row(name=NODEMAILER, way=peers.nodemailer_composing, count=800),
            Row(name=SMTPLIB, way=peers.smtplib_composing, count=300),
            Row(name=AIO, way=peers.aiosmtplib_composing, count=300),
            Row(name=NODEMAILER_READY, way=peers.nodemailer_ready, count=2_000),
            Row(name=SMTPLIB_READY, way=peers.smtplib_ready, count=2_000),
            Row(name=AIO_READY, way=peers.aiosmtplib_ready, count=1_000),
        ),
        targets=(
            Target(what="the best that composes", row=OURS, others=COMPOSING, times=8),
            Target(what="the best that composes, by BDAT and on both cores", row=TWO_BDAT, others=COMPOSING, times=8),
            Target(what="the program in C", row=OURS, others=(FLOOR,), times=0.6),
            Target(what="its client alone, by CPU", row=OURS, others=(ALONE,), times=0.7),
        ),
    )
    yield Part(
        title="The same, signed",
        sink=sinks.fast,
        rows=(
            Row(name=RSA, way=ours.newsletter, count=3_000, signed="rsa"),
            Row(name=RSA_TWO, way=ours.newsletter, count=6_000, signed="rsa", processes=2, connections=8),
            Row(name=ED25519, way=ours.newsletter, count=8_000, signed="ed25519"),
            Row(name=ED25519_TWO, way=ours.newsletter, count=8_000, signed="ed25519", processes=2, connections=8),
            Row(name=NODEMAILER_RSA, way=peers.nodemailer_composing, count=400, signed="rsa"),
        ),
        targets=(
            Target(what="nodemailer, RSA", row=RSA, others=(NODEMAILER_RSA,), times=6),
            Target(what="one process", row=RSA_TWO, others=(RSA,), times=1.5),
            Target(what="nodemailer's RSA, by Ed25519", row=ED25519, others=(NODEMAILER_RSA,), times=20),
            Target(what="nodemailer's RSA, on both cores", row=ED25519_TWO, others=(NODEMAILER_RSA,), times=20),
        ),
    )
    yield Part(
        title="STARTTLS",
        sink=lambda folder: sinks.fast(folder, starttls=True),
        starttls=True,
        rows=(
            Row(name=OURS, way=ours.newsletter, count=6_000),
            Row(name=ALONE, way=ours.client, count=10_000),
            Row(name=LISTMONK, way=peers.listmonk_way, count=1_500),
            Row(name=NODEMAILER, way=peers.nodemailer_composing, count=600),
            Row(name=SMTPLIB, way=peers.smtplib_composing, count=200),
            Row(name=AIO, way=peers.aiosmtplib_composing, count=200),
            Row(name=NODEMAILER_READY, way=peers.nodemailer_ready, count=1_500),
            Row(name=SMTPLIB_READY, way=peers.smtplib_ready, count=1_500),
            Row(name=AIO_READY, way=peers.aiosmtplib_ready, count=800),
        ),
        targets=(Target(what="the best that composes", row=OURS, others=COMPOSING, times=4),),
    )
    yield Part(
        title="20 ms of round trip",
        sink=lambda folder: sinks.fast(folder, delay=20, chunking=True),
        connections=10,
        rounds=1,
        rows=(
            Row(name=OURS, way=ours.newsletter, count=4_000),
            Row(name=BDAT, way=ours.newsletter, count=16_000, chunking=8, needs=ours.knows_chunking),
            Row(name=LISTMONK, way=peers.listmonk_way, count=1_000),
            Row(name=NODEMAILER_READY, way=peers.nodemailer_ready, count=2_000),
            Row(name=SMTPLIB_READY, way=peers.smtplib_ready, count=1_000),
            Row(name=AIO_READY, way=peers.aiosmtplib_ready, count=1_000),
        ),
        targets=(
            Target(what="nodemailer", row=OURS, others=(NODEMAILER_READY,), times=1.9),
            Target(what="smtplib and aiosmtplib", row=OURS, others=(SMTPLIB_READY, AIO_READY), times=3.9),
            Target(what="listmonk's way", row=OURS, others=(LISTMONK,), times=4.8),
            Target(
                what="the best other, by BDAT",
                row=BDAT,
                others=(LISTMONK, NODEMAILER_READY, SMTPLIB_READY, AIO_READY),
                times=10,
            ),
        ),
    )
    yield Part(
        title="Postfix, its queue on the disk",
        sink=lambda _: sinks.postfix(),
        rows=(
            Row(name=OURS, way=ours.newsletter, count=1_500),
            Row(name=SOURCE, way=peers.smtp_source, count=1_500),
            Row(name=LISTMONK, way=peers.listmonk_way, count=800),
            Row(name=NODEMAILER, way=peers.nodemailer_composing, count=500),
            Row(name=SMTPLIB_READY, way=peers.smtplib_ready, count=800),
            Row(name=AIO_READY, way=peers.aiosmtplib_ready, count=800),
        ),
        targets=(Target(what="smtp-source", row=OURS, others=(SOURCE,), times=0.8),),
    )
    yield Part(
        title="aiosmtpd",
        sink=lambda _: sinks.aiosmtpd(),
        rounds=1,
        rows=(
            Row(name=OURS, way=ours.newsletter, count=1_000),
            Row(name=LISTMONK, way=peers.listmonk_way, count=600),
            Row(name=NODEMAILER, way=peers.nodemailer_composing, count=400),
            Row(name=SMTPLIB, way=peers.smtplib_composing, count=200),
            Row(name=AIO, way=peers.aiosmtplib_composing, count=200),
        ),
    )


Found = dict[str, tuple[int, Sent]]


def measure(part: Part, folder: Path, *, scale: float) -> tuple[Found, list[str]]:
    """The median round of each row, with how many messages it was; and a line for each row that cannot be."""
    told: dict[str, list[tuple[int, Sent]]] = {}
    lacking: dict[str, str] = {}
    for _ in range(part.rounds):
        for row in part.rows:
            if row.name in lacking:
                continue
            try:
                row.needs()
                told.setdefault(row.name, []).append(_once(part, row, folder, scale=scale))
            except Missing as missing:
                lacking[row.name] = str(missing)
    found = {
        name: sorted(rounds, key=lambda one: one[1].seconds / one[0])[len(rounds) // 2]
        for name, rounds in told.items()
        if rounds
    }
    return found, [f"{name}: {why}" for name, why in lacking.items()]


def _once(part: Part, row: Row, folder: Path, *, scale: float) -> tuple[int, Sent]:
    count = max(LEAST, int(row.count * scale))
    connections = row.connections or part.connections
    with part.sink(folder) as sink:
        job = Job(
            port=sink.port,
            count=count,
            connections=connections,
            kit=folder,
            starttls=part.starttls,
            signed=row.signed,
            chunking=row.chunking,
            processes=row.processes,
        )
        return count, row.way(job)


def lines(part: Part, found: Found, *, markdown: bool) -> Iterator[str]:
    """The part as a table, and under it what its rows have to reach."""
    heads = ("way", "messages", "a second", "CPU µs", "MB", "ours is faster", "and needs less CPU")
    rows = [tuple(_cells(name, found, found.get(part.rows[0].name))) for name in (row.name for row in part.rows)]
    rows = [row for row in rows if row]
    yield f"### {part.title}" if markdown else f"\n{part.title}, {part.connections} connections"
    if markdown:
        yield f"\n{part.connections} connections.\n"
        for row in (heads, ("---",) * len(heads), *rows):
            yield f"| {' | '.join(row)} |"
        yield ""
    else:
        for row in (heads, *rows):
            yield f"{row[0]:38} {row[1]:>9} {row[2]:>9} {row[3]:>8} {row[4]:>6} {row[5]:>14} {row[6]:>18}".rstrip()
    for target in part.targets:
        if verdict := reached(target, found):
            yield f"- {verdict}" if markdown else f"  {verdict}"
    if markdown and part.targets:
        yield ""


def _cells(name: str, found: Found, first: tuple[int, Sent] | None) -> Sequence[str]:
    if name not in found:
        return ()
    count, sent = found[name]
    rate, cpu = count / sent.seconds, sent.cpu / count
    faster = less = ""
    if first is not None and first[1] is not sent:
        faster = f"{first[0] / first[1].seconds / rate:.1f} times"
        less = f"{cpu / (first[1].cpu / first[0]):.1f} times"
    memory = f"{sent.memory:,.0f}" if sent.memory else ""
    return name, f"{count:,}", f"{rate:,.0f}", f"{cpu * 1e6:,.0f}", memory, faster, less


def reached(target: Target, found: Found) -> str:
    """Whether a target was reached, in a line; empty where a row is missing."""
    others = [found[name] for name in target.others if name in found]
    if target.row not in found or not others:
        return ""
    by_cpu = target.what.endswith("by CPU")

    def figure(one: tuple[int, Sent]) -> float:
        return one[0] / (one[1].cpu if by_cpu else one[1].seconds)

    times = figure(found[target.row]) / max(map(figure, others))
    verdict = "reached" if times >= target.times else "MISSED"
    return f"{target.row}: {times:.2f} times {target.what}; {target.times:g} wanted, {verdict}"


def main() -> None:
    """Every part, printed as soon as it is measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--markdown", action="store_true", help="print tables for docs/performance.md")
    parser.add_argument("--only", action="append", default=[], help="words of the titles of parts")
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of messages")
    parser.add_argument("--rounds", type=int, help="instead of those of each part")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        for line in kit.prepare(folder):
            print(f"# {line}")
        for part in parts():
            if given.only and not any(word.lower() in part.title.lower() for word in given.only):
                continue
            began = time.perf_counter()
            found, lacking = measure(replace(part, rounds=given.rounds or part.rounds), folder, scale=given.scale)
            for line in (*lines(part, found, markdown=given.markdown), *(f"# {line}" for line in lacking)):
                print(line)
            print(f"# {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
