"""Where tables are kept: in a file, or in a database of a server."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from streams.sections import StoreSettings
from streams.serving.postgres import Database

Place = Path | Database


def place_of(file: Path, settings: StoreSettings) -> Place:
    """Return the database of the settings; where they name none, the file."""
    return Database(settings.url, settings.password_file) if settings.url else file


def in_words(error: BaseException | None) -> str:
    """Return what a database says, in one line."""
    return " ".join(str(error).split())


def ready(engine: Engine, *steps: Callable[[Engine], object]) -> Engine:
    """Return an engine after all steps; where one fails, nothing of it stays open."""
    try:
        for step in steps:
            step(engine)
    except BaseException:
        engine.dispose()
        raise
    return engine
