"""Processes that deliver, forked from one that has imported everything: `python -m benchmarks.crash.sender`.

It reads a line of JSON for each process to start, the arguments of `deliver_issue`, and writes `started PID` at once
and `ended PID STATUS` when that process has ended, STATUS negative for the signal that ended it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import newsletter.mail.smtp
from newsletter.deliver import deliver
from newsletter.errors import StoreError
from newsletter.links import Links
from newsletter.store import open_store

IMPORTED = (newsletter.mail.smtp,)  # once here, not in every child
DONE, STOPPED, NO_STORE = 0, 3, 4  # what a process ends with


def deliver_issue(*, url: str, issue: int, port: int, connections: int, chunking: int, ahead: float) -> int:
    """Stage 4 in this process, by a clock that is so many seconds ahead; the status to end with."""
    send = newsletter.mail.smtp.open_smtp(
        f"smtp://127.0.0.1:{port}?connections={connections}&chunking={chunking}", hostname=name_of(os.getpid())
    )
    links = Links(base_url="https://papers.example.org", keys=("a key of this benchmark",))
    store = open_store(url)
    try:
        delivered = deliver(
            issue, send=send, links=links, store=store, clock=lambda: datetime.now(UTC) + timedelta(seconds=ahead)
        )
    except StoreError:
        return NO_STORE
    return STOPPED if delivered.stopped else DONE


def name_of(pid: int) -> str:
    """What a process calls itself in its EHLO."""
    return f"sender-{pid}.example.org"


def _say(*words: object) -> None:
    os.write(1, " ".join(map(str, words)).encode() + b"\n")  # print must not be called in a signal's handler


def _reap(*_: object) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        _say("ended", pid, os.waitstatus_to_exitcode(status))


def main() -> None:
    """One child for each line of the standard input; none of them outlives it."""
    signal.signal(signal.SIGCHLD, _reap)
    children = []
    for line in sys.stdin:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
            status = 1
            try:
                status = deliver_issue(**json.loads(line))
            except BaseException:  # noqa: BLE001 - it is told, and the process ends here whatever happens
                sys.excepthook(*sys.exc_info())
            finally:
                sys.stderr.flush()
                os._exit(status)
        children.append(child)
        _say("started", child)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    for child in children:
        if Path(f"/proc/{child}").exists():
            os.kill(child, signal.SIGKILL)


if __name__ == "__main__":
    main()
