from __future__ import annotations

import pytest

from newsletter.domains import registrable


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.example.co.uk", "example.co.uk"),
        ("aspmx.l.google.com", "google.com"),
        ("mx1.test", "mx1.test"),
        ("com", ""),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("", ""),
    ],
)
def test_hosts_of_one_owner(host: str, domain: str) -> None:
    """What somebody could register is the owner; a suffix alone and an address have none."""
    assert registrable(host) == domain
