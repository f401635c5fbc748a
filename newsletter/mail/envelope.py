"""A message's envelope as SMTP commands, with the parameters that a server offered to take; pure.

SIZE (RFC 1870), 8BITMIME (RFC 6152), SMTPUTF8 (RFC 6531) and DSN (RFC 3461). What a server did not offer is not said to
it; a message that cannot do without is not offered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from newsletter.mail.headers import envelope_address
from newsletter.mail.relay import Dsn
from newsletter.model import Message

ENVID_LENGTH = 100  # RFC 3461 section 4.4
ORCPT_LENGTH = 500  # RFC 3461 section 4.2

_MESSAGE_ID = re.compile(rb"^message-id:\s*<([!-;=?A-~]+)@", re.IGNORECASE | re.MULTILINE)


def obstacle(message: Message, extensions: Mapping[str, str]) -> str:
    """Why a message cannot be offered to a server with these extensions; empty when it can.

    It is about the message and this server, so nothing is held against the address.
    """
    try:
        for address in (message.sender, message.recipient):
            if address:
                envelope_address(address)
    except ValueError as error:
        return str(error)
    if 0 < _number(extensions.get("SIZE", "")) < (size := _size(message)):
        return f"a message of {size} bytes, where the server takes {extensions['SIZE']} (SIZE)"
    has_ascii_addresses = message.sender.isascii() and message.recipient.isascii()
    if message.is_encoded and has_ascii_addresses:
        return ""
    for what, is_ascii, keyword in (
        ("the address", has_ascii_addresses, "SMTPUTF8"),
        ("the message", message.is_encoded or message.data.isascii(), "8BITMIME"),
        ("a header", _has_ascii_head(message), "SMTPUTF8"),
    ):
        if not is_ascii and keyword not in extensions:
            return f"{what} is not ASCII and the server does not offer {keyword}"
    return ""


def mail_command(message: Message, extensions: Mapping[str, str], *, dsn: Dsn = Dsn.OFF) -> bytes:
    """MAIL FROM with its parameters."""
    line = f"MAIL FROM:<{message.sender}>"
    if "SIZE" in extensions:
        line += f" SIZE={_size(message)}"
    if not message.is_encoded and not message.data.isascii():
        line += " BODY=8BITMIME"
    if not (message.sender.isascii() and message.recipient.isascii() and _has_ascii_head(message)):
        line += " SMTPUTF8"
    if "DSN" in extensions and dsn is Dsn.FAILURE:
        line += " RET=HDRS"
        if len(envid := _xtext(_message_token(message))) in range(1, ENVID_LENGTH + 1):
            line += f" ENVID={envid}"
    return f"{line}\r\n".encode()


def rcpt_command(message: Message, extensions: Mapping[str, str], *, dsn: Dsn = Dsn.OFF) -> bytes:
    """RCPT TO with its parameters."""
    line = f"RCPT TO:<{message.recipient}>"
    if "DSN" in extensions and dsn is not Dsn.OFF:
        line += f" NOTIFY={dsn.value.upper()}"
        original = f"rfc822;{_xtext(message.recipient)}"
        if dsn is Dsn.FAILURE and message.recipient.isascii() and len(original) <= ORCPT_LENGTH:
            line += f" ORCPT={original}"
    return f"{line}\r\n".encode()


def _size(message: Message) -> int:
    """Octets with CRLF line ends and without what dots are stuffed with (RFC 1870 section 5)."""
    return message.size + (0 if message.is_encoded or message.data.endswith(b"\r\n") else 2)


@lru_cache(maxsize=16)  # each server says the same all day
def _number(limit: str) -> int:
    """The limit of SIZE; 0 where there is none."""
    return int(limit) if limit.isascii() and limit.isdigit() else 0


def _has_ascii_head(message: Message) -> bool:
    return message.is_encoded or _head(message).isascii()


def _head(message: Message) -> bytes:
    return message.data.partition(b"\r\n\r\n")[0]


def _message_token(message: Message) -> str:
    """What stands before the @ of the Message-ID: a bounce that quotes it tells which delivery it is about."""
    match = _MESSAGE_ID.search(_head(message))
    return match[1].decode("ascii") if match else ""


def _xtext(text: str) -> str:
    """RFC 3461 section 4: printable ASCII but + and = as it is, the rest as +HH."""
    return "".join(
        char if "!" <= char <= "~" and char not in "+=" else f"+{octet:02X}" for char in text for octet in char.encode()
    )
