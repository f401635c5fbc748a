"""Our sender: the whole of stage 4 on a ledger in SQLite, or its SMTP client alone."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path

from benchmarks import assemble
from benchmarks.smtp import Job, Missing, Sent, kit, memory
from benchmarks.smtp.peers import alone
from newsletter.deliver import deliver
from newsletter.errors import ConfigError
from newsletter.links import Links
from newsletter.mail.dkim import Key, Signer, read_key
from newsletter.mail.smtp import open_smtp
from newsletter.model import Message, Newsletter, Outcome, State, Verdict
from newsletter.store import migrate, open_store
from newsletter.store.issues import Audience
from newsletter.store.subscribers import Applicant

NOW = datetime(2026, 11, 20, 8, tzinfo=UTC)
DOMAIN = "example.org"


def newsletter(job: Job) -> Sent:
    """Stage 4, whole: recipients from the ledger, messages assembled and signed, each one started and marked.

    Several processes share one ledger; their CPU is added up, the memory is that of the largest.
    """
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/bench.db"
        issue = _publish(Path(folder) / "bench.db", job)
        spawn = get_context("spawn")
        start = spawn.Barrier(job.processes + 1)
        here, there = spawn.Pipe()
        works = [spawn.Process(target=_deliver, args=(job, url, issue, start, there)) for _ in range(job.processes)]
        for work in works:
            work.start()
        there.close()
        start.wait(timeout=60)
        began = time.perf_counter()
        spent = [here.recv() for _ in works]
        seconds = time.perf_counter() - began
        for work in works:
            work.join()
        with closing(open_store(url)) as store:
            assert store.deliveries.counts(issue) == {State.SENT: job.count}  # noqa: S101
    return Sent(seconds, sum(cpu for cpu, _ in spent), max(most for _, most in spent))


def client(job: Job) -> Sent:
    """The SMTP client alone: one message that is ready, again and again, and no ledger."""
    return alone(send_ready, job)


def send_ready(job: Job) -> Sent:
    """The same in this process."""
    data = job.kit.joinpath("message.eml").read_bytes()
    left = job.count

    def messages() -> Iterator[Message]:
        for number in range(job.count):
            yield Message(
                delivery=number,
                sender="papers@example.org",
                recipient=f"reader{number}@example.org",
                pieces=(data,),
                is_encoded=True,
            )

    def record(outcomes: Sequence[Outcome], _: Sequence[int]) -> Collection[int]:
        nonlocal left
        left -= sum(outcome.verdict is Verdict.SENT for outcome in outcomes)
        return ()

    send = open_smtp(_url(job))
    began = time.perf_counter(), time.process_time()
    send(messages(), record=record, stop=lambda: False)
    sent = Sent(time.perf_counter() - began[0], time.process_time() - began[1], memory())
    assert left == 0  # noqa: S101
    return sent


def _publish(file: Path, job: Job) -> int:
    """A ledger in which an issue waits for so many recipients: a copy of one that was made for an earlier round."""
    made = job.kit / f"ledger-{job.count}.db"
    if not made.exists():
        paper = Newsletter(name="daily", title="Daily Papers", sender=f"Daily Papers <papers@{DOMAIN}>")
        with closing(open_store(f"sqlite:///{made}")) as store:
            migrate.upgrade(store.db)
            readers = [Applicant(email=f"reader{number}@{DOMAIN}", name="Reader") for number in range(job.count)]
            store.subscribers.add(readers, newsletter="daily", confirmed=True, how="benchmark", now=NOW)
            issue, audience = assemble.an_issue(4), Audience(at=NOW)
            store.issues.publish(issue, kit.issue(job.kit), newsletter=paper, audience=audience, now=NOW)
    shutil.copyfile(made, file)
    with closing(open_store(f"sqlite:///{file}")) as store:
        (decided,) = store.issues.list()
    return decided.id


def _deliver(job: Job, url: str, issue: int, start: Barrier, there: Connection) -> None:
    links = Links(base_url="https://papers.example.org", keys=("a key of this benchmark",))
    send = open_smtp(_url(job))
    signer = None
    if job.signed:
        pem = job.kit.joinpath(f"{job.signed}.pem").read_text()
        signer = Signer(DOMAIN, (Key("s1", read_key(pem)),))
    with closing(open_store(url)) as store:
        start.wait(timeout=60)
        began = time.process_time()
        deliver(issue, send=send, links=links, store=store, clock=lambda: NOW, signer=signer)
        there.send((time.process_time() - began, memory()))


def _url(job: Job) -> str:
    url = f"smtp://127.0.0.1:{job.port}?connections={job.connections}"
    return (
        url
        + ("&starttls=required&verify=off" if job.starttls else "")
        + (f"&chunking={job.chunking}" if job.chunking else "")
    )


def knows_chunking() -> None:
    """Missing where this version of the client sends by DATA only."""
    try:
        open_smtp("smtp://127.0.0.1?chunking=4")
    except ConfigError as error:
        raise Missing("without BDAT: this version knows no chunking") from error
