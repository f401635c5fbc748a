"""Cases as folders: `tests/data/sources/<kind>/<case>/` holds one answer and `expected.json`.

`expected.json`: `rule` (what the case is about), optionally `options`, `url` and `content_type`, and either `error` (a
part of the message) or `entries`, of which only the fields given are compared.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import ReadError
from newsletter.model import Entry, Source
from newsletter.registry import Registry
from newsletter.sources import Request, Response
from newsletter.sources.kinds import register

CASES = Path(__file__).parents[1] / "data" / "sources"
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def _plain(value: Any) -> Any:
    """A field as JSON has it."""
    if isinstance(value, date):  # and datetime
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _told(entry: Entry, expected: dict[str, Any]) -> dict[str, Any]:
    told = {name: _plain(getattr(entry, name)) for name in expected}
    if "signals" in told:
        told["signals"] = {name: told["signals"][name] for name in expected["signals"]}
    return told


@pytest.mark.parametrize("case", sorted(path.parent for path in CASES.glob("*/*/expected.json")), ids=lambda p: p.name)
def test_case(case: Path) -> None:
    """Each folder's `rule` holds."""
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    (path,) = (path for path in case.iterdir() if path.name != "expected.json")
    registry = Registry()
    register(registry)
    kind = registry.source_kinds[case.parent.name]
    source = Source(name="case", kind=case.parent.name, options=expected.get("options", {}))
    response = Response(
        request=Request(path=path),
        url=expected.get("url", str(path)),
        body=path.read_bytes(),
        content_type=expected.get("content_type", ""),
    )
    if "error" in expected:
        with pytest.raises(ReadError) as caught:
            kind.read(response, source, now=NOW)
        assert expected["error"] in str(caught.value), expected["rule"]
        return
    found = kind.read(response, source, now=NOW)
    assert [_told(entry, told) for entry, told in zip(found, expected["entries"], strict=False)] == expected["entries"]
    assert len(found) == len(expected["entries"]), expected["rule"]
