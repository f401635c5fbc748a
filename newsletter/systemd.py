"""What systemd wants to hear of a service (Type=notify): https://www.freedesktop.org/software/systemd/man/sd_notify."""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def tell(state: str) -> None:
    """Send `READY=1`, `WATCHDOG=1` or `STOPPING=1` where systemd asked for it; elsewhere it does nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        # A leading @ names a socket in the abstract namespace, whose first byte is zero.
        notify.sendto(state.encode(), "\0" + address[1:] if address.startswith("@") else address)
