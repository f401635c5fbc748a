"""What an e-mail address is here: one mailbox that a mail server on the internet could take mail for."""

from __future__ import annotations

import re

from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

# What nearly every address looks like. It must accept nothing that the library refuses or would write otherwise.
_PLAIN = re.compile(
    r"""(?=[^@]{1,64}@) (?=.{6,254}\Z) [a-zA-Z0-9_+-]+ (?:\.[a-zA-Z0-9_+-]+)*
    @ (?: (?!..--) [a-z0-9] (?:[a-z0-9-]{0,61}[a-z0-9])? \. )+ (?P<top>[a-z]{2,63})""",
    re.VERBOSE,
)
_RESERVED = frozenset(SPECIAL_USE_DOMAIN_NAMES)


def is_plain(text: str) -> bool:
    """Whether the text is an address of the usual kind, as `address` would give it back: twenty times as fast."""
    found = _PLAIN.fullmatch(text)
    return found is not None and found["top"] not in _RESERVED


def address(text: str) -> str:
    """The address, its domain in its usual spelling. ValueError says what is wrong with it.

    No name beside it, no list, no quotes, no IP address, no control characters; nothing is looked up in the DNS.
    """
    if is_plain(text):
        return text
    try:
        return validate_email(text, check_deliverability=False, strict=True).normalized
    except EmailNotValidError as error:
        shown = text if text.isprintable() else repr(text)
        raise ValueError(f"{shown[:100]} is not an e-mail address: {error}") from error


def complaint(text: str) -> str:
    """What is wrong with an address, without the address itself; empty when nothing is."""
    try:
        address(text)
    except ValueError as error:
        return str(error.__cause__).rstrip(".")
    return ""
