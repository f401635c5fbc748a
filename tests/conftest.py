"""What tests of several rooms need: a database of each kind, the team's collection of real input."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa

from newsletter.store import Store, open_store
from newsletter.store.db import Database
from newsletter.store.schema import metadata
from tests.databases import build
from tests.sites import Site, open_site

# The same examples every time, and few enough to run all tests before each commit; HYPOTHESIS_PROFILE=default looks at
# others, and at twice as many.
hypothesis.settings.register_profile("suite", parent=hypothesis.settings.get_profile("ci"), max_examples=50)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

_POSTGRES = os.environ.get("NEWSLETTER_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
_REQUIRED = "CI" in os.environ


def _stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no test connects to anything beyond the loopback interface, whatever it meant to do."""
    if event != "socket.connect" or isinstance(arguments[1], str | bytes):  # a path: a socket of this machine
        return
    host = str(arguments[1][0])
    assert host == "localhost" or ip_address(host).is_loopback, f"a test would connect to {arguments[1]}"


sys.addaudithook(_stay_on_this_machine)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The collection of real input, where there is one beside the checkout."""
    folder = Path(__file__).parents[1] / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the collection of real input in ../shared/data")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of an empty database on a real PostgreSQL server, dropped at the end."""
    admin = sa.create_engine(_POSTGRES.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    name = f"newsletter_test_{secrets.token_hex(6)}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
    except sa.exc.OperationalError as error:
        if _REQUIRED:
            raise
        pytest.skip(
            f"needs a PostgreSQL server; NEWSLETTER_TEST_POSTGRES says where: {str(error.orig).splitlines()[0]}"
        )
    yield admin.url.set(drivername="postgresql", database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of an empty database: every test that asks for one runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    url: str = request.getfixturevalue("postgres")
    db = Database(url)
    metadata.drop_all(db.engine)
    with db.writing() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version, story_words"))
    db.close()
    return url


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """An open store with the newest schema and nothing in it."""
    opened = open_store(database_url)
    build(opened)
    yield opened
    opened.close()


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server of the test's own."""
    with open_site() as opened:
        yield opened
