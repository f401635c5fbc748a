from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks import send
from benchmarks.smtp import Job, Missing, Sent, kit, ours, peers, sinks

BODY = b"A line as long as quoted-printable makes them, of which a mail has some hundreds.\r\n" * 500


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit without an issue: the servers, the C program, a message, a certificate."""
    folder = tmp_path_factory.mktemp("kit")
    try:
        kit.make_sinks(folder)
        kit.make_source(folder)
    except Missing as missing:
        if "CI" in os.environ:  # where everything is required
            raise
        pytest.skip(str(missing))
    kit.make_certificate(folder)
    folder.joinpath("message.eml").write_bytes(b"Subject: Daily Papers\r\nMessage-ID: <1@example.org>\r\n\r\n" + BODY)
    return folder


def a_job(programs: Path, port: int, *, starttls: bool = False) -> Job:
    """A hundred messages over four connections."""
    return Job(port=port, count=100, connections=4, kit=programs, starttls=starttls)


@pytest.mark.parametrize("starttls", [False, True])
@pytest.mark.parametrize("way", [ours.send_ready, peers.send_by_threads])
def test_the_fast_server_takes_what_clients_send(programs: Path, way: send.Way, starttls: bool) -> None:
    """A pipelining client and one that waits for each reply, in clear text and encrypted: all hundred arrive."""
    with sinks.fast(programs, starttls=starttls) as sink:
        assert way(a_job(programs, sink.port, starttls=starttls)).seconds > 0

    assert sink.taken == 100


def test_the_program_in_c_sends_that_many(programs: Path) -> None:
    """What stands for the floor sends whole messages, so many and no more."""
    with sinks.fast(programs) as sink:
        peers.c_source(a_job(programs, sink.port))

    assert sink.taken == 100


@contextmanager
def nowhere(_: Path) -> Iterator[sinks.Running]:
    """A server that is not asked for anything."""
    yield sinks.Running(1)


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    """A row without its tool leaves the others, the median of its rounds is told, and targets that can be judged."""

    def lacking(_: Job) -> Sent:
        raise Missing("without it: install it")

    seconds = iter([1.0, 4.0, 2.0])
    part = send.Part(
        title="A server",
        sink=nowhere,
        rows=(
            send.Row(name="fast", way=lambda job: Sent(next(seconds), job.count * 1e-5, 12), count=1000),
            send.Row(name="slow", way=lambda _: Sent(8.0, 4.0, 0), count=1000),
            send.Row(name="none", way=lacking, count=1000),
        ),
        targets=(
            send.Target(what="the other", row="fast", others=("slow", "none"), times=4),
            send.Target(what="the other", row="fast", others=("slow",), times=4.1),
            send.Target(what="nobody", row="fast", others=("none",), times=1),
            send.Target(what="the other, by CPU", row="fast", others=("slow",), times=400),
        ),
    )

    found, missing = send.measure(part, tmp_path, scale=1)
    told = list(send.lines(part, found, markdown=True))

    assert missing == ["none: without it: install it"]
    assert "| fast | 1,000 | 500 | 10 | 12 |  |  |" in told
    assert "| slow | 1,000 | 125 | 4,000 |  | 4.0 times | 400.0 times |" in told
    assert told[-4:] == [
        "- fast: 4.00 times the other; 4 wanted, reached",
        "- fast: 4.00 times the other; 4.1 wanted, MISSED",
        "- fast: 400.00 times the other, by CPU; 400 wanted, reached",
        "",
    ]
