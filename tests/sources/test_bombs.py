from __future__ import annotations

import gzip
import json
import subprocess
import sys
from io import BytesIO

import brotli
import pytest

from tests.sites import Page, Site

MEGABYTE = 2**20
UNPACKED = 512 * MEGABYTE

# A process of its own: what matters is the most memory it ever held.
FETCH = """
import json, resource, sys
from ipaddress import ip_network
from newsletter.sources import Request
from newsletter.sources.fetch import open_fetch
fetch = open_fetch(allow=[ip_network("127.0.0.0/8")], user_agent="test")
def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
list(fetch([Request(url=sys.argv[1] + "/small")]))
before = most()
((_, answer),) = fetch([Request(url=sys.argv[1] + "/bomb")])
print(json.dumps([str(answer), most() - before]))
"""


def gzipped() -> bytes:
    """Half a gigabyte of nothing in half a megabyte."""
    packed = BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", compresslevel=9) as file:
        for _ in range(UNPACKED // MEGABYTE):
            file.write(b" " * MEGABYTE)
    return packed.getvalue()


def brotlied() -> bytes:
    """The same in less than a kilobyte."""
    packer = brotli.Compressor(quality=5)
    parts: list[bytes] = [packer.process(b" " * MEGABYTE) for _ in range(UNPACKED // MEGABYTE)]
    return b"".join([*parts, packer.finish()])


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzipped), ("br", brotlied)])
def test_a_bomb_costs_little(site: Site, encoding: str, pack: object) -> None:
    """A body that unpacks to hundreds of megabytes ends at the limit and costs less than 60 MB."""
    assert callable(pack)
    site.pages["/small"] = Page(b"<rss/>")
    site.pages["/bomb"] = Page(pack(), encoding=encoding)

    done = subprocess.run([sys.executable, "-c", FETCH, site.url], capture_output=True, text=True, check=True)
    answer, cost = json.loads(done.stdout)

    assert "larger than 15 MiB" in answer
    assert cost < 60 * MEGABYTE
