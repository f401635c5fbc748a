"""Mails that the standard library stumbles over, and what tries to get out of a page."""

from __future__ import annotations

HOSTILE = [
    b"Content-Type: multipart/mixed; boundary=\r\n\r\n--\r\n--\r\n",
    b"Content-Type: text/plain; charset=unicode_escape\r\n\r\n\\ud800\r\n",
    b"Content-Type: text/plain; charset=idna\r\n\r\nxn--a\r\n",
    b"Content-Type: text/plain; charset*=x'y'z\x00\r\n\r\nx\r\n",
    b"Content-Transfer-Encoding: base64\r\n\r\n=?=?\xff\r\n",
    b"Content-Type: application/octet-stream; name*0*=utf-8''%ff; name*2=x\r\n\r\nx",
    b"Subject: =?zlib?q?x?= =?utf-8?b?//79?= =?\r\n\r\n",
    b'From: "\r\nTo: <<<,,,>>>\r\n\r\n',
    b"Content-Disposition: attachment; filename=\xff\xfe\r\n\r\nx",
    b"Content-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nx",
    b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n\xffA",
    b"\xff: \xfe\r\n\r\n",
    b"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 x\r\n\xff\r\n",
    (
        b'Subject: <script>alert(1)</script>\r\nFrom: "><img src=x onerror=alert(1)> <x@example.org>\r\n'
        b"Content-Type: text/html\r\n\r\n</iframe><script>alert(1)</script>"
    ),
]
