from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.mail.senders import register
from newsletter.registry import Registry


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_both_schemes_give_a_sender(scheme: str) -> None:
    """smtp:// and smtps:// are known, and a URL with a mistake is refused when the sender is made."""
    registry = Registry()
    register(registry)

    assert (
        repr(registry.senders[scheme](f"{scheme}://mail.example.org:99"))
        == "<LanesSend mail server mail.example.org:99>"
    )
    with pytest.raises(ConfigError):
        registry.senders[scheme](f"{scheme}://")


def test_mx_gives_a_sender() -> None:
    """`mx:` is known, needs no name server to be made, and tells its mistakes then."""
    registry = Registry()
    register(registry)

    assert repr(registry.senders["mx"]("mx:?hello=mail.example.org")) == "<DirectSend>"
    with pytest.raises(ConfigError):
        registry.senders["mx"]("mx:?rate=fast")


def test_registering_loads_no_client() -> None:
    """Start-up does not pay for a client that this command may not need."""
    program = "import sys, newsletter.mail.senders; sys.exit('newsletter.mail.smtp' in sys.modules)"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", program], cwd=root, check=False).returncode == 0
