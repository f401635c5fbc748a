"""What else sends mail, without any ledger: libraries, programs, and what a program in C can do at most.

`composing` makes each message of its parts and five values, `ready` sends one message that exists already.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import smtplib
import ssl
import subprocess
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import aiosmtplib

from benchmarks import assemble
from benchmarks.smtp import Job, Missing, Sent, kit, memory

SENDER = "papers@example.org"
HERE = Path(__file__).parent

Way = Callable[[Job], Sent]
Make = Callable[[int], bytes]


def smtplib_composing(job: Job) -> Sent:
    """Threads of the standard library, each message made by a Jinja template and EmailMessage."""
    return alone(partial(send_by_threads, ready=False), job)


def smtplib_ready(job: Job) -> Sent:
    """Threads of the standard library."""
    return alone(send_by_threads, job)


def aiosmtplib_composing(job: Job) -> Sent:
    """Aiosmtplib, each message made by a Jinja template and EmailMessage."""
    return alone(partial(_coroutines, ready=False), job)


def aiosmtplib_ready(job: Job) -> Sent:
    """Aiosmtplib."""
    return alone(partial(_coroutines, ready=True), job)


def nodemailer_composing(job: Job) -> Sent:
    """Nodemailer's pool, which composes each message, and signs it where asked to."""
    told: dict[str, object] = {"issue": json.loads(job.kit.joinpath("issue.json").read_text())}
    if job.signed:
        pem = job.kit.joinpath(f"{job.signed}.pem").read_text()
        told["dkim"] = {"domainName": "example.org", "keySelector": "s1", "privateKey": pem}
    return _nodemailer(job, told)


def nodemailer_ready(job: Job) -> Sent:
    """Nodemailer's pool, `raw`."""
    return _nodemailer(job, {"ready": base64.b64encode(job.kit.joinpath("message.eml").read_bytes()).decode()})


def listmonk_way(job: Job) -> Sent:
    """A Go program: html/template, MIME composed anew, a message for each idle connection, RSET after it."""
    program = _made(job, "listmonk_way")
    numbers = (str(job.port), str(job.count), str(job.connections), str(job.kit / "issue.json"))
    return measured([str(program), *numbers, *(["starttls"] if job.starttls else [])])


def c_source(job: Job) -> Sent:
    """One message again and again, pipelined, by a program in C."""
    numbers = (str(job.port), str(job.count), str(job.connections))
    return measured([str(_made(job, "source")), *numbers, str(job.kit / "message.eml")])


def smtp_source(job: Job) -> Sent:
    """Postfix's own load generator, which does not pipeline."""
    program = shutil.which("smtp-source", path="/usr/sbin:/sbin:/usr/bin")
    if program is None:
        raise Missing("without smtp-source: `apt-get install postfix` brings it")
    size = job.kit.joinpath("message.eml").stat().st_size
    numbers = ["-s", str(job.connections), "-m", str(job.count), "-l", str(size)]
    addresses = ["-f", SENDER, "-t", "reader@example.org", f"inet:127.0.0.1:{job.port}"]
    return measured([program, "-d", *numbers, *addresses], tells=False)


def alone(way: Way, job: Job) -> Sent:
    """In a process of its own."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    process = spawn.Process(target=_tell, args=(there, way, job))
    process.start()
    there.close()
    sent: Sent = here.recv()
    process.join()
    return sent


def _tell(there: Connection, way: Way, job: Job) -> None:
    there.send(way(job))


def measured(command: list[str], *, tells: bool = True) -> Sent:
    """Run a program that prints its seconds, those of its CPU, its memory in MB; what it does not print we measure."""
    began = time.perf_counter()
    with tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)  # noqa: S603
        assert process.stdout is not None  # noqa: S101
        output = process.stdout.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        process.stdout.close()
        if process.returncode:
            errors.seek(0)
            raise RuntimeError(f"{command[0]} ended with {process.returncode}: {errors.read()[-2000:]}")
    whole = [time.perf_counter() - began, used.ru_utime + used.ru_stime, 0.0]
    told = [float(word) for word in output.split()] if tells else []
    return Sent(*told, *whole[len(told) :])


def _made(job: Job, name: str) -> Path:
    program = job.kit / name
    if not program.exists():
        raise Missing(f"needs {name}, see above")
    return program


def _nodemailer(job: Job, told: dict[str, object]) -> Sent:
    if (node := shutil.which("node")) is None:
        raise Missing("without nodemailer: `apt-get install nodejs npm` brings Node.js")
    if not (HERE / "node_modules" / "nodemailer").is_dir():
        raise Missing("without nodemailer: `npm ci` in benchmarks/smtp brings it")
    told |= {"port": job.port, "count": job.count, "connections": job.connections, "starttls": job.starttls}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(told, file)
        file.flush()
        return measured([node, str(HERE / "nodemailer.mjs"), file.name])


def _make(job: Job, *, ready: bool) -> Make:
    if not ready:
        return assemble.usual(kit.issue(job.kit))
    data = job.kit.joinpath("message.eml").read_bytes()
    return lambda _: data


def send_by_threads(job: Job, *, ready: bool = True) -> Sent:
    """Smtplib, in this process."""
    make = _make(job, ready=ready)
    context = _trusting()

    def work(start: int) -> None:
        with smtplib.SMTP("127.0.0.1", job.port) as server:
            if job.starttls:
                server.starttls(context=context)
            for number in range(start, job.count, job.connections):
                server.sendmail(SENDER, [f"reader{number}@example.org"], make(number))

    began = _now()
    with ThreadPoolExecutor(job.connections) as threads:
        list(threads.map(work, range(job.connections)))
    return _since(began)


def _coroutines(job: Job, *, ready: bool) -> Sent:
    make = _make(job, ready=ready)
    context = _trusting()

    async def work(start: int) -> None:
        server = aiosmtplib.SMTP(
            hostname="127.0.0.1", port=job.port, start_tls=job.starttls, tls_context=context if job.starttls else None
        )
        async with server:
            for number in range(start, job.count, job.connections):
                await server.sendmail(SENDER, [f"reader{number}@example.org"], make(number))

    async def run() -> None:
        await asyncio.gather(*(work(start) for start in range(job.connections)))

    began = _now()
    asyncio.run(run())
    return _since(began)


def _trusting() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float]) -> Sent:
    return Sent(time.perf_counter() - began[0], time.process_time() - began[1], memory())
