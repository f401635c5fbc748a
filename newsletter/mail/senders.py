"""The built-in senders, added through the same door as a plugin's."""

from __future__ import annotations

from newsletter.mail import Send
from newsletter.registry import Registry


def register(registry: Registry) -> None:
    """Add `smtp://`, `smtps://` and `lmtp://`, `mx:`, `file://` and `sendmail://`."""
    registry.add_sender("smtp", _smtp)
    registry.add_sender("smtps", _smtp)
    registry.add_sender("lmtp", _smtp)
    registry.add_sender("mx", _direct)
    registry.add_sender("file", _folder)
    registry.add_sender("sendmail", _sendmail)


def _smtp(url: str) -> Send:
    """The sender for a mail server's URL, or several. ConfigError when it is not one."""
    from newsletter.mail.lanes import open_lanes  # noqa: PLC0415  # asyncio and TLS take time that `--help` needs not

    return open_lanes(url)


def _direct(url: str) -> Send:
    """The sender that asks the readers' own mail servers. ConfigError for a URL with mistakes."""
    from newsletter.mail.direct import open_direct  # noqa: PLC0415  # as above

    return open_direct(url)


def _folder(url: str) -> Send:
    """The sender that keeps messages in a folder. ConfigError for a URL that names none."""
    from newsletter.mail.folder import open_folder  # noqa: PLC0415  # as above

    return open_folder(url)


def _sendmail(url: str) -> Send:
    """The sender that hands messages to a program. ConfigError for a URL that names none."""
    from newsletter.mail.sendmail import open_sendmail  # noqa: PLC0415  # as above

    return open_sendmail(url)
