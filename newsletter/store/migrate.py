"""Migrations: the schema of a database brought to the one this release knows (Alembic, append-only)."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from newsletter.errors import SchemaTooNew, StoreError
from newsletter.store.db import Database

_ADVISORY_LOCK = 7_031_956_120  # any number that nothing else on the server uses


def upgrade(db: Database) -> str:
    """Bring the database to the newest revision and return it; several processes may do so at once.

    Raises SchemaTooNew, by name, when a later release was here: it knows what we would destroy.
    """
    config = _config()
    head = _head(config)
    if db.file is not None:
        db.file.parent.mkdir(parents=True, exist_ok=True)
    with db.engine.connect() as connection:
        if not db.is_sqlite:
            connection.execute(sa.select(sa.func.pg_advisory_lock(_ADVISORY_LOCK)))
            connection.commit()
        connection.execution_options(newsletter_writes=True)
        try:
            with connection.begin():
                if _revision(connection, config) != head:
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
        finally:
            if not db.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_unlock(_ADVISORY_LOCK)))
                connection.commit()
    return head


def check(db: Database) -> None:
    """StoreError when the database has no schema or an older one, SchemaTooNew when it has a later one."""
    if db.file is not None and not db.file.exists():  # connecting would make an empty one
        raise StoreError(f"there is no database {db.file}: run `newsletter init` first")
    config = _config()
    with db.reading() as connection:
        revision = _revision(connection, config)
    if revision is None:
        raise StoreError(f"the database {_name(db)} is empty: run `newsletter init` first")
    if revision != _head(config):
        raise StoreError(f"the database {_name(db)} is from an earlier release: run `newsletter init` to migrate it")


def _revision(connection: sa.Connection, config: Config) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise SchemaTooNew(
            f"the database {_name(connection)} is at revision {revision}, which this release does not know: "
            f"it was migrated by a later one; upgrade newsletter, or restore the backup from before"
        )
    return revision


def _name(where: Database | sa.Connection) -> str:
    """The database's address without its password."""
    return where.engine.url.render_as_string(hide_password=True)


def _head(config: Config) -> str:
    head = ScriptDirectory.from_config(config).get_current_head()
    assert head is not None  # noqa: S101  # there is always a first migration
    return head


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config
