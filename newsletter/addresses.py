"""What an e-mail address is here: one mailbox that a mail server on the internet could take mail for."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email


def address(text: str) -> str:
    """The address, its domain in its usual spelling. ValueError says what is wrong with it.

    No name beside it, no list, no quotes, no IP address, no control characters; nothing is looked up in the DNS.
    """
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
