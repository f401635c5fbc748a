"""Operators at the door."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from newsletter import operators
from newsletter.errors import NotFound, StoreError
from newsletter.operators import GUESSES, GUESSES_OF_ALL, SESSION_LASTS, WAIT
from newsletter.store import Store, open_store
from tests.builders import MINUTE, NOON
from tests.databases import build

PASSWORD = "a long enough one"
HOME, AWAY = "198.51.100.0/24", "203.0.113.0/24"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with one operator."""
    opened = open_store(f"sqlite:///{tmp_path / 'test.db'}")
    build(opened)
    operators.add(opened, "ann", PASSWORD, now=NOON)
    yield opened
    opened.close()


def log_in(store: Store, password: str = PASSWORD, *, name: str = "ann", network: str = HOME) -> str | None:
    """An attempt at noon."""
    return operators.log_in(store, name, password, network=network, now=NOON)


def test_a_session_is_good_for_a_while(store: Store) -> None:
    """Until it is over or was ended."""
    secret = log_in(store)
    assert secret is not None

    someone = operators.who(store, secret, now=NOON + SESSION_LASTS - MINUTE)
    assert someone is not None
    assert someone.name == "ann"
    assert operators.who(store, secret, now=NOON + SESSION_LASTS) is None
    assert operators.who(store, secret + "x", now=NOON) is None
    assert operators.who(store, "", now=NOON) is None
    store.operators.dismiss(secret)
    assert operators.who(store, secret, now=NOON) is None


def test_each_log_in_has_a_session_of_its_own(store: Store) -> None:
    """Nobody can fix another's session beforehand."""
    assert log_in(store) != log_in(store)


def test_another_password_ends_every_session_and_no_token(store: Store) -> None:
    """Whoever stole a cookie has it in vain; programs go on."""
    secret = log_in(store)
    token = operators.new_token(store, "ann", "import", now=NOON)
    assert secret is not None

    operators.change_password(store, "ann", "another long one")

    assert operators.who(store, secret, now=NOON) is None
    assert operators.bearer(store, token, now=NOON) is not None
    assert log_in(store) is None
    assert log_in(store, "another long one")


def test_a_token_is_no_session_and_a_session_no_token(store: Store) -> None:
    """Each opens its own door."""
    secret = log_in(store)
    token = operators.new_token(store, "ann", "import", now=NOON)
    assert secret is not None

    assert operators.who(store, token, now=NOON) is None
    assert operators.bearer(store, secret, now=NOON) is None
    assert store.operators.revoke(1, label="import") == 1
    assert operators.bearer(store, token, now=NOON) is None


def test_guessing_is_made_to_wait(store: Store) -> None:
    """After a few wrong passwords even the right one is not looked at; from elsewhere it is."""
    for _ in range(GUESSES - 1):
        store.operators.fail("ann", network=HOME, now=NOON)
    assert log_in(store, "wrong") is None

    with pytest.raises(PermissionError, match="15 minutes"):
        log_in(store)
    assert log_in(store, network=AWAY)
    assert operators.log_in(store, "ann", PASSWORD, network=HOME, now=NOON + WAIT + MINUTE)


def test_guessing_names_is_made_to_wait_too(store: Store) -> None:
    """A network that tries one password on everybody."""
    for number in range(GUESSES_OF_ALL - 1):
        store.operators.fail(f"someone{number}", network=HOME, now=NOON)
    assert log_in(store, "wrong", name="anyone") is None

    with pytest.raises(PermissionError):
        log_in(store, name="someone-else")


def test_an_unknown_name_costs_as_much_as_a_wrong_password(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hash is looked at in either case, so that no clock tells who is known."""
    looked: list[str] = []
    verify = PasswordHasher.verify

    def watched(hasher: PasswordHasher, hashed: str, given: str) -> bool:
        looked.append(hashed)
        return verify(hasher, hashed, given)

    monkeypatch.setattr(PasswordHasher, "verify", watched)

    log_in(store, "wrong")
    log_in(store, "wrong", name="nobody")

    assert len(looked) == 2
    assert looked[0].rpartition("$")[0].rpartition("$")[0] == looked[1].rpartition("$")[0].rpartition("$")[0]


def test_what_is_kept_opens_no_door(store: Store, tmp_path: Path) -> None:
    """Neither password, session nor token stands in the database."""
    secret, token = log_in(store), operators.new_token(store, "ann", "import", now=NOON)
    assert secret is not None
    store.close()

    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    for word in (PASSWORD, secret, token):
        assert word.encode() not in kept


@pytest.mark.parametrize("name", ["", "Ann", "a b", "../x", "x" * 41, "-a", "a\n"])
def test_a_name_is_of_letters(store: Store, name: str) -> None:
    """It stands in logs and commands."""
    with pytest.raises(StoreError):
        operators.add(store, name, PASSWORD, now=NOON)


@pytest.mark.parametrize("password", ["", "short", "x" * 501])
def test_a_password_has_a_length(store: Store, password: str) -> None:
    """Long enough to be hard to guess, short enough to be hashed."""
    with pytest.raises(StoreError):
        operators.add(store, "bo", password, now=NOON)


def test_who_is_not_there_cannot_be_changed(store: Store) -> None:
    """And one name is one operator."""
    with pytest.raises(NotFound):
        operators.change_password(store, "bo", PASSWORD)
    with pytest.raises(NotFound):
        store.operators.remove("bo")
    with pytest.raises(NotFound):
        operators.new_token(store, "bo", "x", now=NOON)
    with pytest.raises(StoreError, match="already"):
        operators.add(store, "ann", PASSWORD, now=NOON + timedelta(days=1))


def test_an_operator_who_is_removed_has_nothing_left(store: Store) -> None:
    """Neither sessions nor tokens."""
    secret, token = log_in(store), operators.new_token(store, "ann", "x", now=NOON)
    assert secret is not None

    store.operators.remove("ann")

    assert operators.who(store, secret, now=NOON) is None
    assert operators.bearer(store, token, now=NOON) is None
    assert store.operators.list() == []
