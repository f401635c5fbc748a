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

from newsletter.store import Store, migrate, open_store
from newsletter.store.db import Database
from tests.databases import build, empty
from tests.sites import Site, open_site

# The same examples every time, and few enough to run all tests before each commit; HYPOTHESIS_PROFILE=default looks at
# others, and at twice as many.
hypothesis.settings.register_profile("suite", parent=hypothesis.settings.get_profile("ci"), max_examples=50)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))

# Whatever the environment says: programs that tests start are compiled once, and not by each of them.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Two threads of linear algebra on two busy cores wait for each other most of the time.
os.environ["OPENBLAS_NUM_THREADS"] = "1"
# Tests trust none but their own certificates, and a context with those of the system takes 30 ms to make.
os.environ |= {"SSL_CERT_FILE": os.devnull, "SSL_CERT_DIR": os.devnull}

_POSTGRES = os.environ.get("NEWSLETTER_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")
_REQUIRED = "CI" in os.environ


def _stay_on_this_machine(event: str, arguments: tuple[Any, ...]) -> None:
    """An audit hook: no test connects to anything beyond the loopback interface, whatever it meant to do."""
    if event != "socket.connect" or isinstance(arguments[1], str | bytes):  # a path: a socket of this machine
        return
    host = str(arguments[1][0])
    assert host == "localhost" or ip_address(host).is_loopback, f"a test would connect to {arguments[1]}"


sys.addaudithook(_stay_on_this_machine)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules that take long begin first (called by pytest): at the end one of them would run alone."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The collection of real input, where there is one beside the checkout."""
    folder = Path(__file__).parents[1] / ".." / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("needs the collection of real input in ../shared/data")
    return folder.resolve()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    """A database with the newest schema on a real PostgreSQL server, dropped at the end."""
    admin = sa.create_engine(_POSTGRES.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    name = f"newsletter_test_{secrets.token_hex(6)}"
    try:
        with admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}"))
            # What a test has done need not survive a loss of power.
            connection.execute(sa.text(f"ALTER DATABASE {name} SET synchronous_commit = off"))
    except sa.exc.OperationalError as error:
        if _REQUIRED:
            raise
        pytest.skip(
            f"needs a PostgreSQL server; NEWSLETTER_TEST_POSTGRES says where: {str(error.orig).splitlines()[0]}"
        )
    url = admin.url.set(drivername="postgresql", database=name)
    db = Database(url.render_as_string(hide_password=False))
    migrate.upgrade(db)
    yield db
    db.close()
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An address of a database without a row: every test that asks for one runs on both kinds.

    That of SQLite is not there yet, and `build` makes it; that of PostgreSQL has its tables, which take a second.
    """
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'newsletter.db'}"
    db: Database = request.getfixturevalue("postgres")
    empty(db)
    return db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)


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
