"""The built-in senders, added through the same door as a plugin's."""

from __future__ import annotations

from newsletter.mail import Send
from newsletter.registry import Registry


def register(registry: Registry) -> None:
    """Add `smtp://` and `smtps://`."""
    registry.add_sender("smtp", _smtp)
    registry.add_sender("smtps", _smtp)


def _smtp(url: str) -> Send:
    """The sender for a mail server's URL. ConfigError when it is not one."""
    from newsletter.mail.smtp import open_smtp  # noqa: PLC0415  # asyncio and TLS take time that `--help` needs not

    return open_smtp(url)
