"""What benchmarks/send.py measures with: mail servers, our sender, and whatever else sends mail.

`kit` prepares a folder with the compiled programs, the issue and the keys; `sinks` starts a mail server; `ours` and
`peers` have the ways to send. A way takes a Job and gives a Sent; one whose tools are not there raises Missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class Missing(Exception):
    """A tool that a row needs is not there; its text says how to get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """So many messages to a server at a port, over so many connections, with what is in the kit's folder.

    `signed` is empty, `rsa` or `ed25519`; `chunking` how many messages are on their way by BDAT, 0 for DATA.
    """

    port: int
    count: int
    connections: int
    kit: Path
    starttls: bool = False
    signed: str = ""
    chunking: int = 0
    processes: int = 1


@dataclass(frozen=True, slots=True)
class Sent:
    """How long it took in seconds, CPU seconds of the sender, its most resident memory in MB (0: not known)."""

    seconds: float
    cpu: float
    memory: float


def memory() -> float:
    """The most resident memory of this process so far, in MB; 0 where the system does not tell.

    Not from getrusage(2): a process that was started by another begins with that one's figure.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return 0.0
    most = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(most.split()[1]) / 1024
