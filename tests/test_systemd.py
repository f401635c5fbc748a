from __future__ import annotations

import socket
from pathlib import Path

import pytest

from newsletter import systemd


@pytest.mark.parametrize("place", ["{folder}/notify", "@newsletter-{name}"])
def test_systemd_hears_what_it_asked_for(place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A datagram at the socket it names, in the file system or in the abstract namespace."""
    address = place.format(folder=tmp_path, name=tmp_path.name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(address.replace("@", "\0"))
        notify.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", address)
        systemd.tell("READY=1")

        assert notify.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nobody/listens/here", "relative"])
def test_nobody_else_hears_anything(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without systemd, or with one that has gone, nothing happens."""
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.tell("READY=1")
