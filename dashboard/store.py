"""The serving store as this process reads it: opened once, again when replaced.

A demo that is started anew writes a new file under the same name; an engine
that holds the old one would go on reading what nobody sees any more. In a
database that cannot happen, but looking at it can take long.
"""

import threading
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from streams.errors import RollcallError, StoreFailedError
from streams.serving.postgres import Database
from streams.serving.queries import written
from streams.serving.sqlite import REACH
from streams.serving.store import STORE_FILE, open_store

GLANCE_S = 0.1
"""How often a database is asked whether it was written."""

AGAIN_S = 1.0
"""How long after a failure it is asked again."""

NOT_YET = "Start the engine with `rollcall up`, or name another data directory with --data."


def unread(error: SQLAlchemyError) -> str:
    """Return in words that the store could not be read: the cause, no SQL and no ids."""
    cause = getattr(error, "orig", None) or type(error).__name__
    return f"the serving store could not be read: {cause}"


class Store:
    """The serving store of a data directory, read-only; safe between threads."""

    def __init__(self, data: Path) -> None:
        """Name the data directory; nothing is opened yet."""
        self.path = data / STORE_FILE
        self._lock = threading.Lock()
        self._open: tuple[tuple[int, int], Engine] | None = None

    def engine(self) -> Engine:
        """Return the engine of the file as it is there now.

        ``StoreFailedError`` where there is none or where it cannot be read.
        """
        with self._lock:
            identity = self._identity()
            if self._open is None or self._open[0] != identity:
                self._drop()
                self._open = (identity, open_store(self.path, read_only=True))
            return self._open[1]

    def stamp(self) -> tuple[int, int] | None:
        """Return what differs once something was written; None if nothing is there yet.

        ``StoreFailedError`` where the disk does not say.
        """
        try:
            found = self.path.with_name(f"{self.path.name}-wal").stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unreachable(error) from error
        return found.st_mtime_ns, found.st_size

    def close(self) -> None:
        """Let go of the file; the next ``engine`` opens it anew."""
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._open is not None:
            self._open[1].dispose()
            self._open = None

    def _identity(self) -> tuple[int, int]:
        """Return what tells this file from another one of the same name."""
        try:
            found = self.path.stat()
        except FileNotFoundError as error:
            self._drop()
            what = f"there is no serving store at {self.path} yet"
            raise StoreFailedError(what, hint=NOT_YET) from error
        except OSError as error:
            self._drop()
            raise self._unreachable(error) from error
        return found.st_dev, found.st_ino

    def _unreachable(self, error: OSError) -> StoreFailedError:
        what = f"the serving store {self.path} cannot be reached: {error.strerror}"
        return StoreFailedError(what, hint=REACH)


class ServerStore:
    """The serving store in a database, read-only; safe between threads."""

    def __init__(self, database: Database) -> None:
        """Name the database; nothing is opened yet."""
        self._database = database
        self._lock = threading.Lock()
        self._starting = threading.Lock()
        self._open: Engine | None = None
        self._stamp: int | None = None
        self._ended = threading.Event()
        self._glancer: threading.Thread | None = None

    def engine(self) -> Engine:
        """Return the engine; ``StoreFailedError`` where the database cannot be read."""
        with self._lock:
            if self._open is None:
                self._open = open_store(self._database, read_only=True)
            return self._open

    def stamp(self) -> int | None:
        """Return what differs once something was written; None before that is known.

        It never waits for the server, which a thread asks from the first call on.
        """
        with self._starting:
            if self._glancer is None:
                self._ended = threading.Event()
                arguments = (self._ended,)
                self._glancer = threading.Thread(target=self._glance, args=arguments, daemon=True)
                self._glancer.start()
        return self._stamp

    def close(self) -> None:
        """Let go of the database; the next ``engine`` opens it anew."""
        with self._starting:
            self._ended.set()
            if self._glancer is not None:
                self._glancer.join(AGAIN_S)
                self._glancer = None
        with self._lock:
            if self._open is not None:
                self._open.dispose()
                self._open = None

    def _glance(self, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                with self.engine().connect() as connection:
                    while not ended.wait(GLANCE_S):
                        with connection.begin():
                            self._stamp = written(connection)
            except (RollcallError, SQLAlchemyError):
                # Why, the next look at the wall says in words.
                ended.wait(AGAIN_S)
