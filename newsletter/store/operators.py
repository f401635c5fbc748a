"""Who may act as an operator, and what they show for it."""

from __future__ import annotations

import builtins
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from newsletter.errors import NotFound, StoreError
from newsletter.store.db import Database
from newsletter.store.schema import failures, operators, passes

SESSION = "session"
TOKEN = "token"  # noqa: S105  # the word, not one
_SECRET_BYTES = 32  # 256 bits; ASVS 7.2.3 asks for 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """Somebody who may log in."""

    id: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A session or a token, by the beginning of its digest."""

    id: str
    kind: str
    label: str
    created_at: datetime
    used_at: datetime | None
    expires_at: datetime | None


class Operators:
    """The tables `operators`, `passes` and `failures`."""

    def __init__(self, db: Database) -> None:
        """On an open database."""
        self._db = db

    def add(self, name: str, *, password: str, now: datetime) -> int:
        """A new operator with a hashed password; their number. StoreError for a name that is taken."""
        insert = self._db.insert(operators).values(name=name, password=password, created_at=now)
        with self._db.writing() as connection:
            number = connection.execute(insert.on_conflict_do_nothing().returning(operators.c.id)).scalar()
        if number is None:
            raise StoreError(
                f"there is an operator {name!r} already; `newsletter operators password {name}` changes it"
            )
        return int(number)

    def list(self) -> builtins.list[Operator]:
        """Every operator, by name."""
        query = sa.select(operators.c.id, operators.c.name, operators.c.created_at).order_by(operators.c.name)
        with self._db.reading() as connection:
            return [Operator(**row) for row in connection.execute(query).mappings()]

    def password(self, name: str) -> tuple[int, str] | None:
        """The number and the hashed password of an operator, None for an unknown one."""
        query = sa.select(operators.c.id, operators.c.password).where(operators.c.name == name)
        with self._db.reading() as connection:
            row = connection.execute(query).first()
        return (row.id, row.password) if row else None

    def set_password(self, name: str, *, password: str) -> None:
        """Another hashed password; every session ends with it, tokens stay. NotFound."""
        with self._db.writing() as connection:
            number = self._number(connection, name)
            connection.execute(operators.update().where(operators.c.id == number).values(password=password))
            connection.execute(passes.delete().where(passes.c.operator == number, passes.c.kind == SESSION))

    def rehash(self, operator: int, *, password: str) -> None:
        """The same password, hashed as it is done nowadays; nothing ends."""
        with self._db.writing() as connection:
            connection.execute(operators.update().where(operators.c.id == operator).values(password=password))

    def remove(self, name: str) -> None:
        """No operator any more, nor anything they could show. NotFound."""
        with self._db.writing() as connection:
            connection.execute(operators.delete().where(operators.c.id == self._number(connection, name)))

    # --- sessions and tokens

    def admit(self, operator: int, *, kind: str, label: str = "", now: datetime, until: datetime | None = None) -> str:
        """A new session or token; the secret itself, which is kept nowhere."""
        secret = secrets.token_urlsafe(_SECRET_BYTES)
        row = {
            "digest": _digest(secret),
            "operator": operator,
            "kind": kind,
            "label": label,
            "created_at": now,
            "expires_at": until,
        }
        with self._db.writing() as connection:
            connection.execute(passes.delete().where(passes.c.expires_at <= now))
            connection.execute(passes.insert().values(row))
        return secret

    def who(self, secret: str, *, kind: str, now: datetime) -> Operator | None:
        """Whose session or token this is, None for one that is good for nothing (any more)."""
        query = (
            sa.select(operators.c.id, operators.c.name, operators.c.created_at, passes.c.used_at)
            .join(passes, passes.c.operator == operators.c.id)
            .where(passes.c.digest == _digest(secret), passes.c.kind == kind)
            .where(passes.c.expires_at.is_(None) | (passes.c.expires_at > now))
        )
        with self._db.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        if row.used_at is None or row.used_at.date() != now.date():  # a write a day, not one a request
            with self._db.writing(durable=False) as connection:
                connection.execute(passes.update().where(passes.c.digest == _digest(secret)).values(used_at=now))
        return Operator(id=row.id, name=row.name, created_at=row.created_at)

    def passes(self, operator: int, *, kind: str) -> builtins.list[Pass]:
        """The sessions or tokens of an operator, oldest first."""
        query = (
            passes.select().where(passes.c.operator == operator, passes.c.kind == kind).order_by(passes.c.created_at)
        )
        with self._db.reading() as connection:
            rows = connection.execute(query).all()
        return [
            Pass(
                id=row.digest[:12],
                kind=row.kind,
                label=row.label,
                created_at=row.created_at,
                used_at=row.used_at,
                expires_at=row.expires_at,
            )
            for row in rows
        ]

    def dismiss(self, secret: str) -> None:
        """End a session or token; harmless when there is none."""
        with self._db.writing() as connection:
            connection.execute(passes.delete().where(passes.c.digest == _digest(secret)))

    def revoke(self, operator: int, *, label: str) -> int:
        """End the tokens that are called so; how many there were."""
        mine = (passes.c.operator == operator) & (passes.c.kind == TOKEN) & (passes.c.label == label)
        with self._db.writing() as connection:
            return connection.execute(passes.delete().where(mine)).rowcount

    # --- log-ins that failed

    def fail(self, name: str, *, network: str, now: datetime) -> None:
        """Remember that somebody gave a wrong name or password."""
        row = {"at": now, "name": _digest(name), "network": network}
        with self._db.writing(durable=False) as connection:
            connection.execute(failures.insert().values(row))

    def failed(self, name: str, *, network: str, since: datetime) -> tuple[int, int]:
        """How often that was since: for this name from this network, and for this network whatever the name.

        Those before are forgotten.
        """
        mine = failures.c.network == network
        count = sa.select(sa.func.count().filter(failures.c.name == _digest(name)), sa.func.count()).where(
            mine, failures.c.at >= since
        )
        with self._db.writing(durable=False) as connection:
            connection.execute(failures.delete().where(failures.c.at < since))
            named, every = connection.execute(count).one()
        return int(named), int(every)

    def _number(self, connection: sa.Connection, name: str) -> int:
        number = connection.execute(sa.select(operators.c.id).where(operators.c.name == name)).scalar()
        if number is None:
            raise NotFound(f"there is no operator {name!r}; `newsletter operators list` shows those there are")
        return int(number)


def _digest(secret: str) -> str:
    """A digest is enough: a secret of 256 random bits cannot be guessed from it, however fast the hash."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
