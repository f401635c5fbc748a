"""The tools that are not Python: where they are, and what happens to a test when one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
_REQUIRED = "CI" in os.environ


def command(name: str, *, package: str) -> str:
    """The path of a program. Without it the test is skipped, and fails where everything is required."""
    found = shutil.which(name)
    if not found:
        _missing(f"needs {name}: install the Debian package {package}")
    return str(found)


def npm(package: str) -> Path:
    """The folder of a package of tests/outside/package.json; as `command` where it is not installed."""
    folder = FOLDER / "node_modules" / package
    if not folder.is_dir():
        _missing(f"needs {package}: run `npm ci` in tests/outside")
    return folder


def font(file: str, *, package: str) -> None:
    """As `command`, for a font that fonts.conf names."""
    if not Path("/usr/share/fonts/truetype", file).is_file():
        _missing(f"needs {file}: install the Debian package {package}")


def _missing(reason: str) -> None:
    if _REQUIRED:
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


def run(
    *words: str | Path, stdin: bytes = b"", codes: tuple[int, ...] = (0,), environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What a tool printed. An exit code that is not among `codes` fails the test, with what it said."""
    done = subprocess.run(
        [str(word) for word in words],
        input=stdin,
        capture_output=True,
        check=False,
        timeout=110,
        cwd=FOLDER,
        env={**os.environ, **(environment or {})},
    )
    assert done.returncode in codes, f"{words[0]} exited {done.returncode}: {done.stderr.decode(errors='replace')}"
    return done
