"""Stores of both databases: what is tested of the one holds for the other."""

from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from infra.postgres import Postgres
from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.store import open_store

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def with_tables(postgres_server: Postgres) -> Iterator[str]:
    """Return the name of a database with our tables, to be copied: that is faster than making."""
    name = f"ready_{uuid4().hex}"
    open_store(Database(postgres_server.create_database(name))).dispose()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture(params=BOTH)
def new_place(request, tmp_path):
    """Return a function that names another new place for a store."""
    numbers = count()
    if request.param == "sqlite":
        yield lambda: tmp_path / f"store-{next(numbers)}.sqlite"
        return
    server, template = (request.getfixturevalue(it) for it in ("postgres_server", "with_tables"))
    names = []

    def make():
        names.append(f"test_{uuid4().hex}")
        return Database(server.create_database(names[-1], template))

    yield make
    for name in names:
        server.drop_database(name)


@pytest.fixture
def place(new_place: Callable[[], Place]) -> Place:
    """Return where the store of this test is."""
    return new_place()


@pytest.fixture
def store(place: Place) -> Iterator[Engine]:
    """Return a new store, open for writing."""
    engine = open_store(place)
    yield engine
    engine.dispose()
