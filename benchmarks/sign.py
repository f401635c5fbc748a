# ruff: noqa: INP001, T201 - a script, not a package
"""What a signature costs: `python benchmarks/sign.py`, with dkimpy beside it.

A message of the issue that assemble.py makes, about 60 KB of HTML and its text. "begun" is with the beginning of the
body hashed once for all messages: up to the first personal value, and nearly all of it for comparison. CPU time of one
thread, the median of rounds.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

import dkim
from assemble import ours, rendered

from newsletter.mail.dkim import SIGNED, Key, Signer, new_key, read_key

ROUNDS = 7
AT = datetime(2026, 11, 20, 8, tzinfo=UTC)
DOMAIN = "news.example.org"


def seconds(sign: Callable[[], object], count: int) -> float:
    """CPU time of one signature."""
    rounds = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            sign()
        rounds.append((time.process_time() - began) / count)
    return statistics.median(rounds)


def by_dkimpy(data: bytes, algorithm: str, pem: str) -> Callable[[], bytes]:
    """The same fields and canonical forms by dkimpy. Its Ed25519 key is the bare seed."""
    key = pem.encode()
    if algorithm == "ed25519":
        key = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="  # of RFC 8463, appendix A.2
    present = [name.encode() for name in SIGNED if b"\n" + name.encode() + b":" in b"\n" + data.lower()]

    def sign() -> bytes:
        signed: bytes = dkim.sign(
            data,
            b"s1",
            DOMAIN.encode(),
            key,
            canonicalize=(b"relaxed", b"simple"),
            include_headers=present,
            signature_algorithm=f"{algorithm}-sha256".encode(),
        )
        return signed

    return sign


def main() -> None:
    """Each way, how many a second, and how many times dkimpy's cost."""
    data = ours(rendered())(1)
    body = data.partition(b"\r\n\r\n")[2]
    shared = body.index(b"\nhttps://papers.example.org/") + 1  # personal values begin a line
    print(f"{len(data):,} bytes, of which the body {len(body):,}; its first {shared:,} are everybody's\n")
    print(f"{'signature':34} {'µs':>8} {'a second':>10}")
    for algorithm, count in (("rsa", 100), ("ed25519", 500)):
        pem = new_key(algorithm)
        signer = Signer(DOMAIN, (Key("s1", read_key(pem)),))
        begun, whole = signer.prefix(body[:shared]), signer.prefix(body[:-300])
        ways: dict[str, tuple[Callable[[], object], int]] = {
            algorithm: (lambda signer=signer: signer.sign(data, at=AT), count),
            f"{algorithm}, begun at {shared:,}": (lambda s=signer, p=begun: s.sign(data, at=AT, prefix=p), count),
            f"{algorithm}, begun near its end": (lambda s=signer, p=whole: s.sign(data, at=AT, prefix=p), count),
            f"{algorithm}, dkimpy": (by_dkimpy(data, algorithm, pem), 5 if algorithm == "rsa" else 20),
        }
        for name, (sign, times) in ways.items():
            cost = seconds(sign, times)
            print(f"{name:34} {cost * 1e6:>8,.0f} {1 / cost:>10,.0f}")


if __name__ == "__main__":
    sys.exit(main())
