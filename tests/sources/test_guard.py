from __future__ import annotations

import pytest

from newsletter.sources.guard import shown, url_complaint


@pytest.mark.parametrize(
    "url", ["https://example.org/", "http://127.0.0.1:8080/x?y", "HTTPS://example.org", "http://[::1]/"]
)
def test_web_addresses_can_be_fetched(url: str) -> None:
    """As text, any http(s) address is good: the socket decides about the rest."""
    assert url_complaint(url) == ""


def test_reports_show_addresses_without_secrets() -> None:
    """User, password, query and control characters do not reach a message."""
    assert shown("https://user:secret@example.org/a?token=secret#x") == "https://example.org/a"
    assert shown("https://example.org/\x1b[31m\nx") == "https://example.org/[31mx"
    assert shown("example.org") == "example.org"
