"""Stores of both databases: what is tested of the one holds for the other."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import Engine

from streams.serving.place import Place
from streams.serving.postgres import Database
from streams.serving.store import open_store
from tests.support.postgres import postgres, postgres_server

__all__ = ["postgres", "postgres_server"]

BOTH = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgres))


@pytest.fixture(params=BOTH)
def new_place(request, tmp_path):
    """Return a function that names another new place for a store."""
    numbers = count()
    if request.param == "sqlite":
        return lambda: tmp_path / f"store-{next(numbers)}.sqlite"
    server = request.getfixturevalue("postgres_server")
    return lambda: Database(server.create("ready"))


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
