"""Who holds a lease: a process, by a name that tells whether it still lives.

A lease ends by time for a process on another host. On this host we need not wait: a process that is gone holds nothing.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path


def this_process() -> str:
    """This process's name: `host/pid/start`, where the start time tells it from a later process with its pid."""
    pid = os.getpid()
    return f"{_host()}/{pid}/{_started(pid)}"


def is_gone(owner: str) -> bool:
    """Whether the process of that name has surely ended. False for one on another host: nobody here can tell."""
    host, _, rest = owner.rpartition("/")[0].partition("/")
    start = owner.rpartition("/")[2]
    return host == _host() and rest.isdigit() and _started(int(rest)) != start


def _host() -> str:
    # Two containers may share a name; their boot ids are equal too, but their pids are not each other's business.
    return socket.gethostname().replace("/", "-")


def _started(pid: int) -> str:
    """When the process started, in clock ticks since boot; empty when there is none (proc_pid_stat(5), field 22)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "" if not _alive(pid) else "unknown"
    fields = stat.rpartition(")")[2].split()
    is_zombie = fields[0] in ("Z", "X")
    return "" if is_zombie else fields[19]


def _alive(pid: int) -> bool:
    """Where there is no /proc: a signal 0 is delivered to a process that exists."""
    if Path("/proc/self").exists():
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
