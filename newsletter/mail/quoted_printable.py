"""Quoted-printable (RFC 2045 section 6.7) in pieces that can be joined in any order.

`binascii.b2a_qp` encodes a whole body; what it gives for two halves cannot be put together without growing a line
past 76 columns. Here every piece ends its last line, with a soft break where the text goes on.
"""

from __future__ import annotations

import re

COLUMNS = 76
HARD = b"\r\n"
SOFT = b"=\r\n"

_PLAIN = b"\t" + bytes(range(ord(" "), ord("~") + 1)).replace(b"=", b"")
_SUSPICIOUS = b".F"  # what a row that is not harmless begins with
_UNSAFE = re.compile(rb"[^\t -<>-~]")
_HEX = {bytes([octet]): b"=%02X" % octet for octet in range(256)}


def quoted_printable(text: str) -> bytes:
    """The text as UTF-8 in quoted-printable, line ends CRLF; any sequence of such results is one valid body.

    Every line has at most 76 columns, ends in no white space, and begins neither with "." (so that SMTP stuffs no
    dots) nor with "From " (which mailboxes of old quote). Lone surrogates become "?".
    """
    octets = text.encode("utf-8", "replace")
    if not octets.translate(None, _PLAIN):  # most values of readers: short, or a URL
        rows = b""
        while octets and octets[0] not in _SUSPICIOUS:
            rows += octets[: COLUMNS - 1] + SOFT
            octets = octets[COLUMNS - 1 :]
        if not octets:
            return rows
    *whole, rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    parts: list[bytes] = []
    for line in whole:
        _add_rows(parts, line, end=HARD)
    if rest:
        _add_rows(parts, rest, end=SOFT)
    return b"".join(parts)


def _add_rows(rows: list[bytes], line: str, *, end: bytes) -> None:
    octets = _UNSAFE.sub(_escaped, line.encode("utf-8", "replace"))
    if end is HARD and octets.endswith((b" ", b"\t")):
        octets = octets[:-1] + _HEX[octets[-1:]]
    room = COLUMNS + len(HARD) - len(end)
    while True:
        if octets.startswith((b".", b"From ")):
            octets = _HEX[octets[:1]] + octets[1:]
        if len(octets) <= room:
            break
        cut = _cut(octets)
        rows += octets[:cut], SOFT
        octets = octets[cut:]
    rows += octets, end


def _escaped(match: re.Match[bytes]) -> bytes:
    return _HEX[match[0]]


def _cut(octets: bytes) -> int:
    """Where a row with its soft break has 76 columns, or up to two earlier so as not to part an `=XX`."""
    cut = COLUMNS - 1
    escape = octets.rfind(b"=", cut - 2, cut)
    return cut if escape < 0 else escape
