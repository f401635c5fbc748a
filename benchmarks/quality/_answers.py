"""The saved answers of Hugging Face, as the parts read them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time
from pathlib import Path

from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.sources import Request, Response
from newsletter.sources.huggingface import HuggingFaceKind


def answers(folder: Path) -> Iterator[tuple[datetime, Sequence[Entry]]]:
    """The end of each day and what was listed on it, in order; answers that cannot be read are passed over."""
    for path in sorted(folder.glob("*.json")):
        now = datetime.combine(datetime.fromisoformat(path.stem).date(), time(23, 59), UTC)
        source = Source(name="hf", kind="huggingface", options={"path": str(path)})
        response = Response(request=Request(path=path), url=path.resolve().as_uri(), body=path.read_bytes())
        try:
            yield now, HuggingFaceKind().read(response, source, now=now)
        except ReadError:
            continue
