"""The mail servers that are sent to: a fast one, aiosmtpd, Postfix with its queue on the disk."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.smtp import Missing

MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/spool
data_directory = {folder}/data
mail_owner = postfix
setgid_group = postdrop
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
myhostname = sink.example.org
mydestination =
local_transport = discard
relay_transport = discard
default_transport = discard
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
smtpd_client_connection_count_limit = 0
alias_maps =
alias_database =
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"""
WAIT = 20.0  # seconds for a server to come up


@dataclass
class Running:
    """A server that runs; how many messages it took, known when it has ended, where it tells."""

    port: int
    taken: int = 0


@contextmanager
def fast(kit: Path, *, delay: float = 0, chunking: bool = False, starttls: bool = False) -> Iterator[Running]:
    """The C sink. `delay` are milliseconds of round trip. Missing where it could not be compiled."""
    program = kit / ("sink_tls" if starttls else "sink")
    if not program.exists():
        raise Missing("needs the sink in C, see above")
    certificate = [str(kit / "cert.pem"), str(kit / "key.pem")] if starttls else []
    command = [str(program), "0", str(delay), "1" if chunking else "0", *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101
        running = Running(int(process.stdout.readline()))
        try:
            yield running
        finally:
            process.terminate()
            running.taken = int(process.stdout.readline())


@contextmanager
def aiosmtpd() -> Iterator[Running]:
    """An aiosmtpd of its own process, which forgets what it takes."""
    command = [sys.executable, "-m", "benchmarks.smtp.sinks"]
    place = Path(__file__).parents[2]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None  # noqa: S101
        try:
            yield Running(int(process.stdout.readline()))
        finally:
            process.terminate()


@contextmanager
def postfix() -> Iterator[Running]:
    """An instance of Postfix in a temporary folder: mails go into its queue on the disk, and from there nowhere.

    Missing where Postfix is not installed, or we are not root, as its master has to be.
    """
    program = shutil.which("postfix", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        raise Missing("without Postfix: `apt-get install postfix` brings it")
    if os.geteuid() != 0:
        raise Missing("without Postfix: its master has to be started by root")
    with tempfile.TemporaryDirectory(prefix="postfix-", ignore_cleanup_errors=True) as name:
        folder, port = Path(name), free_port()
        folder.chmod(0o755)
        for inner in ("etc", "spool", "data"):
            (folder / inner).mkdir()
        shutil.chown(folder / "data", "postfix")
        (folder / "etc" / "main.cf").write_text(MAIN.format(folder=folder))
        (folder / "etc" / "master.cf").write_text(MASTER.format(port=port))
        command = [program, "-c", str(folder / "etc")]
        started = subprocess.run([*command, "start"], capture_output=True, text=True, check=False)  # noqa: S603
        if started.returncode:
            raise Missing(f"without Postfix: {(started.stderr + started.stdout).strip()}")
        try:
            _until_it_listens(port)
            yield Running(port)
        finally:
            subprocess.run([*command, "abort"], capture_output=True, check=False)  # noqa: S603


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
    return port


def _until_it_listens(port: int) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _serve() -> None:
    """Run aiosmtpd until we are terminated."""
    import asyncio  # noqa: PLC0415 - of this process only

    from aiosmtpd.smtp import SMTP  # noqa: PLC0415

    class Forgetful:
        async def handle_DATA(self, *_: object) -> str:  # noqa: N802
            return "250 2.0.0 taken"

    async def serve() -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: SMTP(Forgetful(), hostname="localhost"), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
        await asyncio.Event().wait()

    asyncio.run(serve())


if __name__ == "__main__":
    _serve()
