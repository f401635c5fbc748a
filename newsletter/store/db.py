"""The connection: SQLite or PostgreSQL behind one pair of transactions, `reading` and `writing`."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError

from newsletter.errors import StoreError

_BUSY_SECONDS = 30


class Database:
    """One database and its connections; share one between threads, never between processes."""

    def __init__(self, url: str) -> None:
        """Connects on first use. StoreError for an address SQLAlchemy cannot make sense of."""
        try:
            self.engine = _engine(sa.make_url(url))
        except (sa.exc.ArgumentError, ModuleNotFoundError) as error:
            hint = "; install the extra: newsletter[postgres]" if isinstance(error, ModuleNotFoundError) else ""
            raise StoreError(f"could not open the database: {error}{hint}") from error

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
        with self._connected() as connection:
            connection.execution_options(newsletter_writes=True, newsletter_durable=durable)
            with connection.begin():
                yield connection

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection
        except OperationalError as error:
            raise StoreError(f"the database failed: {_first_line(error)}") from error

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT, which the two databases spell alike and SQLAlchemy does not share."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().split("\n")[0]


def _engine(url: sa.URL) -> sa.Engine:
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")  # the driver we ship; SQLAlchemy's default is another
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True, connect_args={"application_name": "newsletter"})
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})
    sa.event.listen(engine, "connect", _tune_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


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
    options = connection.get_execution_options()
    if options.get("newsletter_writes"):
        cursor = connection.connection.cursor()
        cursor.execute(f"PRAGMA synchronous = {'FULL' if options.get('newsletter_durable', True) else 'NORMAL'}")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.close()
    else:
        connection.exec_driver_sql("BEGIN")
