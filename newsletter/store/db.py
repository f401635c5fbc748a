"""The connection: SQLite or PostgreSQL behind one pair of transactions, `reading` and `writing`."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from newsletter.errors import StoreError

_BUSY_SECONDS = 30
_IDLE_SECONDS = 300  # far more than anything here takes between two statements of a transaction
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.001
_WRITES, _WRITING = "newsletter_writes", "newsletter_writing"


class Database:
    """One database and its connections; share one between threads, never between processes."""

    def __init__(self, url: str) -> None:
        """Connects on first use. StoreError for an address SQLAlchemy cannot make sense of."""
        try:
            self.engine = _engine(sa.make_url(url))
        except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
            hint = "; install the extra: newsletter[postgres]" if isinstance(error, ModuleNotFoundError) else ""
            raise StoreError(f"could not open the database: {error}{hint}") from error
        self._kept = threading.local()

    @property
    def is_sqlite(self) -> bool:
        """Whether there is one writer at a time."""
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for a database in memory or on a server."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name and name != ":memory:" else None

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection for reading a consistent state."""
        with self._connected() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self, *, durable: bool = True) -> Iterator[sa.Connection]:
        """A transaction that commits at the end and rolls back on an exception.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): one that begins by reading and then writes could
        find the database changed under it, and fail instead of waiting. There, too, a commit that need not be `durable`
        waits for no disk: it survives any end of the process, and a loss of power only with the next that is.
        """
        with self._connected() as connection, begin_writing(connection, durable=durable):
            yield connection

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Let this thread use one connection meanwhile: to take one from the pool costs twice a short transaction.

        PostgreSQL's may break between two transactions, which is only noticed, and mended, where one is taken anew.
        """
        if not self.is_sqlite:
            yield
            return
        with self.engine.connect() as self._kept.connection:
            try:
                yield
            finally:
                del self._kept.connection

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        kept: sa.Connection | None = getattr(self._kept, "connection", None)
        try:
            if kept is not None and not kept.in_transaction():
                yield kept
                return
            with self.engine.connect() as connection:
                yield connection
        except OperationalError as error:
            raise StoreError(f"the database failed: {_first_line(error)}") from error

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT, which the two databases spell alike and SQLAlchemy does not share."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def numbers(self, array: Iterable[int] | sa.BindParameter[str]) -> sa.FromClause:
        """The numbers of a JSON array as a table with one column, `value`: one parameter, however many they are.

        To begin a join with: where SQLite finds rows by their number it takes no other way.
        """
        bound = array if isinstance(array, sa.BindParameter) else sa.literal(json.dumps(list(array)))
        if self.is_sqlite:
            return sa.func.json_each(bound).table_valued("value").alias("numbers")
        elements = sa.func.jsonb_array_elements_text(sa.cast(bound, postgresql.JSONB)).table_valued("value")
        return sa.select(sa.cast(elements.c.value, sa.BigInteger).label("value")).subquery("numbers")

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def begin_writing(connection: sa.Connection, *, durable: bool = True) -> sa.RootTransaction:
    """As `Database.writing`, on a connection that is there already."""
    connection.info[_WRITES] = "FULL" if durable else "NORMAL"  # for `_begin_sqlite`
    return connection.begin()


def is_writing(connection: sa.Connection) -> bool:
    """Whether the transaction that began last on this connection is one to write in."""
    return bool(connection.info.get(_WRITING))


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().split("\n")[0]


def _engine(url: sa.URL) -> sa.Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")  # the driver we ship; SQLAlchemy's default is another
    if url.get_backend_name() != "sqlite":
        engine = sa.create_engine(url, pool_pre_ping=True, connect_args={"application_name": "newsletter"})
        sa.event.listen(engine, "connect", _let_go)
        sa.event.listen(engine, "begin", _said)
        return engine
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", partial(_keep_to_ourselves, Path(url.database or "")))
    sa.event.listen(engine, "connect", _tune_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _let_go(connection: Any, _record: object) -> None:
    """A process that stands still, or whose machine is gone, keeps what it has locked only so long."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{_IDLE_SECONDS}s'")
    connection.commit()


def _keep_to_ourselves(file: Path, _connection: object, _record: object) -> None:
    """A database that was made just now is nobody else's to read; SQLite gives its other files the same mode."""
    if file.is_file() and file.stat().st_size == 0:
        file.chmod(0o600)


def _tune_sqlite(connection: Any, _record: object) -> None:
    # The driver's own BEGIN comes too late and never IMMEDIATE; `_begin_sqlite` says it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA foreign_keys = ON")
    # FULL: a commit survives power loss, so "sent" is not forgotten. Costs 0.3 ms a commit; commits are grouped.
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _write_ahead(cursor: Any) -> None:
    """Switch a new database to WAL; it stays so. SQLite's busy timeout does not cover this one step, so we wait."""
    for _ in range(_BUSY_SECONDS * 100):
        try:
            cursor.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    cursor = connection.connection.cursor()
    if synchronous := _said(connection):
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        _begin_immediate(cursor)
    else:
        cursor.execute("BEGIN")
    cursor.close()


def _said(connection: sa.Connection) -> str:
    """What `begin_writing` said of the transaction that begins; empty where nobody did."""
    synchronous = str(connection.info.pop(_WRITES, ""))
    connection.info[_WRITING] = bool(synchronous)
    return synchronous


def _begin_immediate(cursor: Any) -> None:
    """Take the write lock. Senders hold it for a fraction of a millisecond; SQLite itself would sleep for longer."""
    patience = time.monotonic() + _BUSY_SECONDS
    pause = _SHORTEST_PAUSE
    cursor.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # whatever keeps it busy
                if not is_busy or time.monotonic() > patience:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                return
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
