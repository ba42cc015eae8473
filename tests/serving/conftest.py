"""Stores of both databases: what is tested of the one holds for the other."""

from collections.abc import Callable, Iterator
from itertools import count
from uuid import uuid4

import pytest
from sqlalchemy import Engine

from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.store import open_store
from tests.support.postgres import Server, postgres, postgres_server

__all__ = ["postgres", "postgres_server"]

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(scope="session")
def ready(postgres_server: Server) -> str:
    """Return the name of a database with our tables, to be copied: that is faster than making."""
    name = f"ready_{uuid4().hex}"
    open_store(Database(postgres_server.create_database(name))).dispose()
    return name


@pytest.fixture(params=BOTH)
def new_place(request, tmp_path):
    """Return a function that names another new place for a store."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: tmp_path / f"store-{next(numbers)}.sqlite"
    server, ready = (request.getfixturevalue(name) for name in ("postgres_server", "ready"))
    return lambda: Database(server.create_database(f"test_{uuid4().hex}", ready))


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
