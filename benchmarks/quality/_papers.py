"""Where the labelled papers lie in a folder of measurements."""

from __future__ import annotations

from pathlib import Path

from benchmarks.quality import Missing


def files(data: Path, pattern: str) -> list[Path]:
    """The files of a name below a folder, in order; Missing where there is none."""
    found = sorted(data.rglob(pattern))
    if not found:
        raise Missing(str(data / "arxiv" / pattern))
    return found
