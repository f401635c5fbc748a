"""Which hosts belong to one owner, as far as the public suffix list knows."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address

from publicsuffixlist import PublicSuffixList


@lru_cache(maxsize=4096)
def registrable(host: str) -> str:
    """The registrable domain of a host: `example.co.uk` of `www.example.co.uk`; empty for an address, or none."""
    try:
        ip_address(host)
    except ValueError:
        return _public_suffixes().privatesuffix(host) or ""
    return ""


@lru_cache(maxsize=1)
def _public_suffixes() -> PublicSuffixList:
    return PublicSuffixList()  # the copy of publicsuffix.org's list inside the package; nothing is fetched
