"""What the tests of the pages share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST

from newsletter import operators
from tests.web.websites import Website, open_website


@pytest.fixture(autouse=True, scope="module")
def _cheap_passwords() -> Iterator[None]:
    """Passwords are hashed as ever, but at the least cost there is; tests/test_operators.py pays the real one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operators, "_hasher", lambda: PasswordHasher.from_parameters(CHEAPEST))
        operators._nobody.cache_clear()
        yield
        operators._nobody.cache_clear()


@pytest.fixture
def website(tmp_path: Path) -> Iterator[Website]:
    """A site with one newsletter and nobody who reads it."""
    with open_website(tmp_path) as opened:
        yield opened
