"""Processes that begin with everything imported: children of multiprocessing's fork server.

A fresh interpreter takes a second or two until a command of ours begins, which hundreds of commands cannot afford. The
server, one for each process that runs tests, has no threads and no connections; what it forks is a process like any
other, with its own number, environment and streams, that can be stopped and killed.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from signal import SIGKILL, SIGTERM
from subprocess import DEVNULL, PIPE, STDOUT
from typing import Self, TextIO

from newsletter.cli import main

_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload(["tests.preloaded"])
_LONGEST = 100  # seconds that a command may take


def fork(target: Callable[..., None], *arguments: object) -> BaseProcess:
    """A process that runs a function of some module; the arguments are pickled."""
    process = _SERVER.Process(target=target, args=arguments)
    process.start()
    return process


class Forked:
    """`newsletter …` in a forked process: of `subprocess.Popen` what tests need, by the same names."""

    returncode: int | None = None

    def __init__(
        self, arguments: Sequence[str], environment: Mapping[str, str], *, stdout: int = DEVNULL, stderr: int = PIPE
    ) -> None:
        """`stdout` and `stderr` are file descriptors, or what `subprocess` has for them."""
        self.stdout, out = _opened(stdout)
        self.stderr, err = (None, os.dup(out)) if stderr == STDOUT else _opened(stderr)
        with Connection(out) as theirs, Connection(err) as too:
            self._process = fork(_command, arguments, dict(environment), theirs, too)

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def wait(self, timeout: float = _LONGEST) -> int:
        """Its exit status, once it has ended; of one that was killed the signal's number, negative."""
        self._process.join(timeout)
        assert self._process.exitcode is not None, f"still running after {timeout} s"
        self.returncode = self._process.exitcode
        return self.returncode

    def communicate(self, timeout: float = _LONGEST) -> tuple[str, str]:
        """What it said until its end; of two pipes the first has to be read by then."""
        said = tuple(stream.read() if stream else "" for stream in (self.stdout, self.stderr))
        self.wait(timeout)
        return said[0], said[1]

    def send_signal(self, number: int) -> None:
        """Send a signal, if it is still there."""
        if self._process.exitcode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for stream in (self.stdout, self.stderr):
            if stream:
                stream.close()
        self.wait()
        self._process.close()


def _opened(stream: int) -> tuple[TextIO | None, int]:
    """Our end of a stream, if there is one, and that of the process."""
    if stream == PIPE:
        ours, theirs = os.pipe()
        return os.fdopen(ours, encoding="utf-8"), theirs
    return None, os.open(os.devnull, os.O_WRONLY) if stream == DEVNULL else os.dup(stream)


def _command(arguments: Sequence[str], environment: Mapping[str, str], out: Connection, err: Connection) -> None:
    """Be the command, in the forked process."""
    for number, connection in enumerate((out, err), start=1):
        os.dup2(connection.fileno(), number)
        connection.close()
    # Those that there are were made for the server's files, and buffer as suits these.
    sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = os.fdopen(2, "w", encoding="utf-8", closefd=False, buffering=1)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))
    sys.argv = ["newsletter", *arguments]
    main()
