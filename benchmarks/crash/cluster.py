"""A PostgreSQL server of our own in a folder, that may be stopped as hard as one likes."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")  # whose programs are not on the path
USER = "postgres"  # whom root must be instead


@dataclass(frozen=True, slots=True)
class Cluster:
    """A server that runs; the URL of its empty database."""

    programs: Path
    folder: Path
    port: int

    @property
    def url(self) -> str:
        """Of a database with nothing in it."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._run("pg_ctl", "-D", self.folder, "-w", "-l", self.folder / "log", "-o", options, "start")

    def crash(self) -> None:
        """End it as a power failure does, without a last checkpoint, and start it again."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """End it at once."""
        self._run("pg_ctl", "-D", self.folder, "-m", "immediate", "stop")

    def create(self) -> None:
        """Make its files."""
        self._run("initdb", "-D", self.folder, "-U", USER, "-A", "trust", "--no-instructions")

    def _run(self, program: str, *arguments: object) -> None:
        command = [str(self.programs / program), *map(str, arguments)]
        user = USER if os.geteuid() == 0 else None  # the server refuses to run as root
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, user=user, cwd="/")  # noqa: S603


def programs() -> Path | None:
    """Where PostgreSQL's server programs are; None where there are none."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    return max(DEBIAN.glob("*/bin"), default=None)


@contextmanager
def open_cluster(where: Path, folder: Path) -> Iterator[Cluster]:
    """A server of the programs in `where`, its files in a new folder; gone at the end of the `with`."""
    folder.mkdir()
    if os.geteuid() == 0:
        shutil.chown(folder, USER)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    cluster = Cluster(where, folder, port)
    cluster.create()
    cluster.start()
    try:
        yield cluster
    finally:
        cluster.stop()
