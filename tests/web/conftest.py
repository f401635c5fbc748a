"""What the tests of the pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.websites import Website, open_website


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    """A site with one newsletter and nobody who reads it."""
    with open_website(tmp_path) as opened:
        yield opened
