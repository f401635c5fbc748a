from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from newsletter.errors import SchemaTooNew, StoreError
from newsletter.store import Store, migrate, open_store
from newsletter.store.schema import metadata

_TYPE_OF_AT = "SELECT data_type FROM information_schema.columns WHERE table_name = 'issues' AND column_name = 'at'"

WORDS = "story_words"


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """All but the index of words, whose tables SQLite makes for itself and the schema does not describe."""
    return kind != "table" or not str(name).startswith(WORDS)


def is_wanted_there(thing: sa.schema.SchemaItem, dialect: sa.Dialect) -> bool:
    """All but the keys that only SQLite is to check."""
    condition = getattr(thing, "_ddl_if", None)
    return condition is None or condition.dialect == dialect.name


@pytest.fixture
def bare_url(database_url: str) -> Iterator[str]:
    """An address of a database without a table; that of PostgreSQL has its tables again afterwards."""
    store = open_store(database_url)
    if not store.db.is_sqlite:
        _drop_everything(store)
    yield database_url
    if not store.db.is_sqlite:
        _drop_everything(store)
        migrate.upgrade(store.db)
    store.close()


def _drop_everything(store: Store) -> None:
    with store.db.writing() as connection:
        connection.execute(sa.text("DROP SCHEMA public CASCADE"))
        connection.execute(sa.text("CREATE SCHEMA public"))


def test_migrations_build_the_schema(store: Store) -> None:
    """A migrated database has exactly the tables of the schema."""
    with store.db.reading() as connection:
        dialect = connection.dialect
        options = {"include_name": is_ours, "include_object": lambda thing, *_: is_wanted_there(thing, dialect)}
        context = MigrationContext.configure(connection, opts=options)
        difference = compare_metadata(context, metadata)

    assert difference == []


def test_migrating_again_changes_nothing(store: Store) -> None:
    """A database at the newest revision stays there."""
    assert migrate.upgrade(store.db) == migrate.upgrade(store.db)
    migrate.check(store.db)


def test_a_later_schema_is_refused_by_name(bare_url: str) -> None:
    """A database that a later release migrated is not touched, and its revision is named."""
    store = open_store(bare_url)
    migrate.upgrade(store.db)
    with store.db.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="9999"):
        migrate.upgrade(store.db)
    with pytest.raises(SchemaTooNew, match="9999"):
        migrate.check(store.db)
    store.close()


def test_an_empty_database_says_what_to_do(bare_url: str) -> None:
    """A database that is not there, or has no tables, is named, and how to make them; looking makes nothing."""
    empty = open_store(bare_url)

    with pytest.raises(StoreError, match="newsletter init"):
        migrate.check(empty.db)
    assert empty.db.file is None or not empty.db.file.exists()
    with empty.db.reading() as connection:
        connection.execute(sa.text("SELECT 1"))
    with pytest.raises(StoreError, match="newsletter init"):
        migrate.check(empty.db)
    empty.close()


def test_several_migrate_at_once(bare_url: str) -> None:
    """Processes that start together on an empty database all find it ready."""
    barrier = threading.Barrier(3)
    revisions: list[str] = []

    def race() -> None:
        opened = open_store(bare_url)
        barrier.wait()
        revisions.append(migrate.upgrade(opened.db))
        opened.close()

    threads = [threading.Thread(target=race) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(revisions) == 3
    assert len(set(revisions)) == 1


def test_tables_are_strict_on_sqlite(store: Store) -> None:
    """SQLite checks types too: text does not get into a number."""
    if not store.db.is_sqlite:
        with store.db.reading() as connection:
            kind = connection.execute(  # PostgreSQL always checks; here the type itself is of interest
                sa.text(_TYPE_OF_AT)
            ).scalar()
        assert kind == "timestamp with time zone"
        return
    with store.db.reading() as connection:
        made = connection.execute(sa.text("SELECT sql FROM sqlite_master WHERE type = 'table'")).scalars().all()
        pragmas = [connection.execute(sa.text(f"PRAGMA {name}")).scalar() for name in ("journal_mode", "foreign_keys")]

    others = ("alembic_version", "sqlite_", WORDS)
    ours = [sql for sql in made if not any(name in sql for name in others)]
    assert ours
    assert all(sql.rstrip().endswith("STRICT") for sql in ours)
    assert pragmas == ["wal", 1]
