"""Operators at the door: passwords, sessions, tokens.

Passwords are hashed by argon2id with the library's own parameters (RFC 9106). Whether a name is known cannot be told
from an answer or from how long it took; whoever guesses is made to wait, by name and network, never the owner of a name
who comes from elsewhere.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from newsletter.errors import NotFound, StoreError
from newsletter.store import Store
from newsletter.store.operators import SESSION, TOKEN, Operator

SESSION_LASTS = timedelta(days=7)
WAIT = timedelta(minutes=15)
GUESSES = 5  # for one name from one network, within WAIT
GUESSES_OF_ALL = 30  # from one network, whatever the names
SHORTEST, LONGEST = 12, 500  # characters of a password
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def add(store: Store, name: str, password: str, *, now: datetime) -> None:
    """A new operator. StoreError says what is wrong with a name or password, or that the name is taken."""
    if not _NAME.fullmatch(name):
        raise StoreError(f"an operator's name is of a-z, 0-9, dots, dashes and underscores, not {name!r}")
    store.operators.add(name, password=_hasher().hash(_fit(password)), now=now)


def change_password(store: Store, name: str, password: str) -> None:
    """Another password; all sessions of the operator end. StoreError, NotFound."""
    store.operators.set_password(name, password=_hasher().hash(_fit(password)))


def new_password() -> str:
    """One that nobody can guess."""
    return secrets.token_urlsafe(15)


def log_in(store: Store, name: str, password: str, *, network: str, now: datetime) -> str | None:
    """The secret of a new session, which goes into a cookie; None where name or password is wrong.

    PermissionError for who has guessed too often: not even the right password is looked at then.
    """
    named, every = store.operators.failed(name, network=network, since=now - WAIT)
    if named >= GUESSES or every >= GUESSES_OF_ALL:
        raise PermissionError(f"too many attempts; try again in {WAIT // timedelta(minutes=1)} minutes")
    known = store.operators.password(name)
    right = _verify(known[1] if known else _nobody(), password[:LONGEST])
    if known is None or not right:
        store.operators.fail(name, network=network, now=now)
        return None
    number, hashed = known
    if _hasher().check_needs_rehash(hashed):
        store.operators.rehash(number, password=_hasher().hash(password))
    return store.operators.admit(number, kind=SESSION, now=now, until=now + SESSION_LASTS)


def who(store: Store, secret: str, *, now: datetime) -> Operator | None:
    """Whose session this is, None for nobody's."""
    return store.operators.who(secret, kind=SESSION, now=now) if secret else None


def new_token(store: Store, name: str, label: str, *, now: datetime) -> str:
    """A token for a program that acts for an operator, shown once. NotFound."""
    known = store.operators.password(name)
    if known is None:
        raise NotFound(f"there is no operator {name!r}; `newsletter operators list` shows those there are")
    return store.operators.admit(known[0], kind=TOKEN, label=label, now=now)


def bearer(store: Store, token: str, *, now: datetime) -> Operator | None:
    """For whom a program acts, None for nobody."""
    return store.operators.who(token, kind=TOKEN, now=now) if token else None


def _fit(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise StoreError(f"a password has {SHORTEST} to {LONGEST} characters")
    return password


def _verify(hashed: str, password: str) -> bool:
    try:
        return _hasher().verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


@cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@cache
def _nobody() -> str:
    """A hash to look at where there is no operator, so that it takes as long."""
    return _hasher().hash(secrets.token_urlsafe())
