"""Which addresses may be fetched, as far as their text tells; the socket's own address is judged by `networks`."""

from __future__ import annotations

from urllib.parse import urlsplit


def url_complaint(url: str) -> str:
    """Why an address cannot be fetched whatever it leads to; empty when it can. Never repeats a password."""
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return "not a valid address"
    if parts.scheme not in {"http", "https"}:
        return (
            f"only http and https addresses are fetched, not '{parts.scheme}'" if parts.scheme else "no https:// in it"
        )
    if parts.username is not None or parts.password is not None:
        return "addresses with a user name or password in them are not fetched"
    if not host:
        return "it names no host"
    return ""


def shown(url: str) -> str:
    """An address fit for reports: without what may be secret (user, query) and without control characters."""
    address, _, _ = url.partition("?")
    scheme, separator, rest = address.partition("://")
    host, slash, path = rest.partition("/")
    plain = scheme + separator + host.rpartition("@")[2] + slash + path
    return "".join(character for character in plain if character.isprintable())[:500]
