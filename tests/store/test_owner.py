from __future__ import annotations

import os
import subprocess
import sys

from newsletter.store.owner import is_gone, this_process


def test_this_process_lives() -> None:
    """A process that runs is not gone."""
    assert not is_gone(this_process())


def test_a_process_that_ended_is_gone() -> None:
    """A process of this host that has ended is known to be gone at once."""
    script = "from newsletter.store.owner import this_process; print(this_process())"
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert is_gone(ended.stdout.strip())


def test_a_pid_used_again_is_another_process() -> None:
    """A later process with the same number is not the one that held the lease."""
    host, _, _ = this_process().split("/")

    assert is_gone(f"{host}/{os.getpid()}/1")


def test_another_host_cannot_be_judged() -> None:
    """Whether a process on another host lives is not known here: its lease must run out."""
    assert not is_gone("elsewhere/1/1")
    assert not is_gone("")
    assert not is_gone("nonsense")
