"""The connection: SQLite or PostgreSQL behind one pair of transactions, `reading` and `writing`."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeEngine

from newsletter.errors import StoreError

_BUSY_SECONDS = 30
_IDLE_SECONDS = 300  # far more than anything here takes between two statements of a transaction
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.0001, 0.001
# What is known of a connection.
_WRITES, _WRITING = "newsletter_writes", "newsletter_writing"
_SYNCHRONOUS, _IMPATIENT = "newsletter_synchronous", "newsletter_impatient"

Found = TypeVar("Found")


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
        self._failures = (OperationalError, self.engine.dialect.loaded_dbapi.OperationalError)

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

    def at_once(self, run: Callable[[sa.Connection], Found], *, durable: bool = True) -> Found:
        """What comes of a statement of the driver's that is a transaction of its own; `durable` as in `writing`.

        It may run twice, if the connection breaks: it has to come to the same then.
        """
        if self.is_sqlite:
            with self._connected() as connection:
                _synchronize(connection, "FULL" if durable else "NORMAL")
                return _patiently(lambda: run(connection))
        kept: sa.Connection | None = getattr(self._kept, "connection", None)
        if kept is not None:
            with suppress(*self._failures):  # PostgreSQL's may break meanwhile, which is noticed by using it
                return run(kept)
            kept.invalidate()
            kept.close()
            self._kept.connection = kept = None
        try:
            connection = self._alone()
            if hasattr(self._kept, "connection"):
                self._kept.connection = connection
                return run(connection)
            with connection:
                return run(connection)
        except self._failures as error:
            raise StoreError(f"the database failed: {_first_line(error)}") from error

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Let this thread use one connection meanwhile: to take one from the pool costs twice a short transaction.

        On PostgreSQL for what is done `at_once` only: what breaks within a transaction cannot be mended.
        """
        if self.is_sqlite:
            with self.engine.connect() as self._kept.connection, _impatient(self._kept.connection):
                try:
                    yield
                finally:
                    del self._kept.connection
            return
        self._kept.connection = None
        try:
            yield
        finally:
            if self._kept.connection is not None:
                self._kept.connection.close()
            del self._kept.connection

    def _alone(self) -> sa.Connection:
        """A connection of PostgreSQL's on which each statement is a transaction."""
        return self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def _connected(self) -> Iterator[sa.Connection]:
        kept: sa.Connection | None = getattr(self._kept, "connection", None) if self.is_sqlite else None
        try:
            if kept is not None and not kept.in_transaction():
                yield kept
                return
            with self.engine.connect() as connection:
                yield connection
        except self._failures as error:
            raise StoreError(f"the database failed: {_first_line(error)}") from error

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say ON CONFLICT, which the two databases spell alike and SQLAlchemy does not share."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    def numbers(self, array: Iterable[int] | sa.BindParameter[str]) -> sa.FromClause:
        """The numbers of a JSON array as a table with one column, `value`: one parameter, however many they are.

        To begin a join with: where SQLite finds rows by their number it takes no other way.
        """
        bound = array if isinstance(array, sa.BindParameter) else sa.literal(json.dumps(list(array)))
        return self.values(bound, sa.BigInteger)

    def values(self, array: sa.BindParameter[str], kind: type[TypeEngine[Any]]) -> sa.FromClause:
        """The same of values of another kind."""
        if self.is_sqlite:
            return sa.func.json_each(array).table_valued("value").alias("elements")
        elements = sa.func.jsonb_array_elements_text(sa.cast(array, postgresql.JSONB)).table_valued("value")
        return sa.select(sa.cast(elements.c.value, kind).label("value")).subquery("elements")

    def array(self, column: sa.ColumnElement[int]) -> sa.ColumnElement[str]:
        """The numbers of a column as a JSON array, for `numbers` to read."""
        if self.is_sqlite:
            return sa.func.json_group_array(column)
        return sa.func.coalesce(sa.cast(sa.func.json_agg(column), sa.Text), "[]")

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


def _first_line(error: Exception) -> str:
    return str(error.orig if isinstance(error, DBAPIError) else error).strip().split("\n")[0]


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
    if synchronous := _said(connection):
        _synchronize(connection, synchronous)
        with _impatient(connection):
            _patiently(lambda: _run(connection, "BEGIN IMMEDIATE"))
    else:
        _run(connection, "BEGIN")


def _run(connection: sa.Connection, statement: str) -> None:
    """A statement of SQLite's own."""
    cursor = connection.connection.cursor()
    cursor.execute(statement)
    cursor.close()


def _synchronize(connection: sa.Connection, how: str) -> None:
    """Whether a commit waits for the disk."""
    if connection.info.get(_SYNCHRONOUS) != how:
        connection.info[_SYNCHRONOUS] = how
        _run(connection, f"PRAGMA synchronous = {how}")


def _said(connection: sa.Connection) -> str:
    """What `begin_writing` said of the transaction that begins; empty where nobody did."""
    synchronous = str(connection.info.pop(_WRITES, ""))
    connection.info[_WRITING] = bool(synchronous)
    return synchronous


@contextmanager
def _impatient(connection: sa.Connection) -> Iterator[None]:
    """Meanwhile SQLite does not wait by itself for another writer: it sleeps for longer than senders write."""
    if _IMPATIENT in connection.info:
        yield
        return
    connection.info[_IMPATIENT] = True
    _run(connection, "PRAGMA busy_timeout = 0")
    try:
        yield
    finally:
        _run(connection, f"PRAGMA busy_timeout = {_BUSY_SECONDS * 1000}")
        del connection.info[_IMPATIENT]


def _patiently(run: Callable[[], Found]) -> Found:
    """What needs SQLite's write lock. Senders hold it for a fraction of a millisecond."""
    patience = time.monotonic() + _BUSY_SECONDS
    pause = _SHORTEST_PAUSE
    while True:
        try:
            return run()
        except sqlite3.OperationalError as error:
            is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY  # whatever keeps it busy
            if not is_busy or time.monotonic() > patience:
                raise
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
