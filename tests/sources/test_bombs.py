"""Answers that unpack to half a gigabyte, or never end: what they cost, and what is said of them."""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

import brotli
import pytest

MEGABYTE = 2**20
UNPACKED = 256 * MEGABYTE

# A process of its own: what matters is the most memory it ever held.
FETCH = """
import json, resource, sys
from ipaddress import ip_network
from newsletter.sources import Request
from newsletter.sources.fetch import open_fetch
fetch = open_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test", timeout=60)
def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
list(fetch([Request(url=sys.argv[1] + "small")]))
before = most()
((_, answer),) = fetch([Request(url=sys.argv[1] + "large")])
print(json.dumps([str(answer), most() - before]))
"""


def gzipped() -> bytes:
    """A quarter of a gigabyte of nothing in a quarter of a megabyte."""
    packed = BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        for _ in range(UNPACKED // MEGABYTE):
            file.write(b" " * MEGABYTE)
    return packed.getvalue()


def deflated() -> bytes:
    """The same as servers mean by deflate."""
    packer = zlib.compressobj(9)
    parts = [packer.compress(b" " * MEGABYTE) for _ in range(UNPACKED // MEGABYTE)]
    return b"".join([*parts, packer.flush()])


def brotlied() -> bytes:
    """The same in less than a kilobyte."""
    packer = brotli.Compressor(quality=5)
    parts: list[bytes] = [packer.process(b" " * MEGABYTE) for _ in range(UNPACKED // MEGABYTE)]
    return b"".join([*parts, packer.finish()])


def zstandard() -> bytes:
    """The same in blocks that repeat one byte (RFC 8878 section 3.1.1.2), which nobody asked for."""
    block = 128 * 1024
    headers = [(block << 3) | (1 << 1)] * (UNPACKED // block - 1) + [(block << 3) | (1 << 1) | 1]
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(struct.pack("<I", header)[:3] + b" " for header in headers)


def packed(encoding: str, pack: Callable[[], bytes]) -> Iterator[bytes]:
    """A whole answer, packed."""
    body = pack()
    yield f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def headers() -> Iterator[bytes]:
    """Header after header."""
    yield b"HTTP/1.1 200 OK\r\n"
    for number in count():
        yield b"X-%d: %s\r\n" % (number, b"a" * 100)


def header() -> Iterator[bytes]:
    """One header."""
    yield b"HTTP/1.1 200 OK\r\nX: "
    for _ in count():
        yield b"a" * 10_000


def trailers() -> Iterator[bytes]:
    """A small body, and then header after header."""
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    for number in count():
        yield b"X-%d: %s\r\n" % (number, b"a" * 100)


def body() -> Iterator[bytes]:
    """A body that says nothing of its length."""
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    for _ in count():
        yield b" " * 100_000


@contextmanager
def serving(answer: Callable[[], Iterator[bytes]]) -> Iterator[str]:
    """The address of a server that gives `answer` to whoever asks for `large`, until they hang up."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            asked = self.request.recv(10_000)
            small = [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<rss/>"]
            try:
                for piece in answer() if b"large" in asked[:20] else small:
                    self.request.sendall(piece)
            except ConnectionError:
                return

    with ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param(lambda: packed("gzip", gzipped), "larger than 15 MiB", id="gzip"),
        pytest.param(lambda: packed("deflate", deflated), "larger than 15 MiB", id="deflate"),
        pytest.param(lambda: packed("br", brotlied), "larger than 15 MiB", id="br"),
        pytest.param(lambda: packed("zstd", zstandard), "could not fetch", id="zstd"),
        pytest.param(body, "larger than 15 MiB", id="body"),
        pytest.param(headers, "not valid HTTP", id="headers"),
        pytest.param(header, "not valid HTTP", id="header"),
        pytest.param(trailers, "the answer is", id="trailers"),
    ],
)
def test_what_never_ends_costs_little(answer: Callable[[], Iterator[bytes]], said: str) -> None:
    """An answer that is too much ends at a limit, with a reason, and costs less than 60 MB."""
    with serving(answer) as url:
        done = subprocess.run([sys.executable, "-c", FETCH, url], capture_output=True, text=True, check=True)

    told, cost = json.loads(done.stdout)

    assert "could not fetch" in told
    assert said in told
    assert cost < 60 * MEGABYTE
