from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import StatementError

from newsletter.errors import StoreError
from newsletter.store import Store, migrate, open_store
from newsletter.store.schema import sources
from newsletter.store.sources import Attempt
from tests.builders import NOON


def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    """What was written before an exception is gone."""

    def fail() -> None:
        with store.db.writing() as connection:
            connection.execute(sources.insert().values(name="feed", tried_at=NOON))
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert list(store.sources.list()) == []


def test_times_come_back_in_utc(store: Store) -> None:
    """A moment in any zone comes back as the same moment in UTC, to the microsecond."""
    moment = datetime(2026, 11, 20, 23, 59, 59, 123456, tzinfo=timezone(timedelta(hours=-8)))
    store.sources.mark([Attempt(name="feed")], now=moment)

    (health,) = store.sources.list()

    assert health.tried_at == moment
    assert health.tried_at.tzinfo is UTC


def test_naive_times_are_bugs(store: Store) -> None:
    """A datetime without a zone is refused before it is written."""
    with pytest.raises(StatementError, match="naive"):
        store.sources.mark([Attempt(name="feed")], now=datetime(2026, 11, 20, 12))  # noqa: DTZ001  # that is the point


def test_a_database_that_cannot_be_opened(tmp_path: Path) -> None:
    """A path that is no file, and an address that is none, are told as what they are."""
    opened = open_store(f"sqlite:///{tmp_path}")
    with pytest.raises(StoreError, match="unable to open"), opened.db.reading() as connection:
        connection.execute(sa.text("SELECT 1"))
    opened.close()
    with pytest.raises(StoreError, match="could not open"):
        open_store("nonsense")


def test_a_new_file_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """Readers' addresses are in it, and in the files that SQLite puts beside it."""
    opened = open_store(f"sqlite:///{tmp_path / 'new.db'}")
    migrate.upgrade(opened.db)
    with opened.db.writing() as connection:
        connection.execute(sources.insert().values(name="feed", tried_at=NOON))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    opened.close()

    assert modes == {"new.db": 0o600, "new.db-wal": 0o600, "new.db-shm": 0o600}


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_who_stands_still_lets_go(store: Store) -> None:
    """The server ends a transaction in which nothing happens any more, so that others may go on."""
    with store.db.reading() as connection:
        assert connection.execute(sa.text("SHOW idle_in_transaction_session_timeout")).scalar() == "5min"


def test_what_is_done_at_once_is_done(store: Store) -> None:
    """A statement of the driver's is a transaction of its own, on a connection that is kept or on any."""

    def add(connection: sa.Connection) -> int:
        cursor = connection.connection.cursor()
        cursor.execute("INSERT INTO sources (name, tried_at) SELECT 'feed' || count(*), '2026-11-20' FROM sources")
        return int(cursor.rowcount)

    assert store.db.at_once(add) == 1
    with store.db.keeping():
        assert store.db.at_once(add) == 1
        assert store.db.at_once(add, durable=False) == 1

    assert {source.name for source in store.sources.list()} == {"feed0", "feed1", "feed2"}


@pytest.mark.postgres
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_broke_meanwhile_is_mended(store: Store) -> None:
    """The server ends the session that is kept; the next statement has another."""

    def session(connection: sa.Connection) -> int:
        cursor = connection.connection.cursor()
        cursor.execute("SELECT pg_backend_pid()")
        ((number,),) = cursor.fetchall()
        return int(number)

    with store.db.keeping():
        first = store.db.at_once(session)
        assert store.db.at_once(session) == first
        with store.db.writing() as connection:
            connection.execute(sa.select(sa.func.pg_terminate_backend(first, 10_000)))  # and wait for its end

        assert store.db.at_once(session) != first
