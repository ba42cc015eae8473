"""A PostgreSQL server of our own for tests: its words sort as in English, not by bytes."""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest
from psycopg import sql

from streams.serving.postgres import Database
from streams.serving.store import open_store

BINARIES = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin")

PASSWORD = secrets.token_hex(8)
"""Of the user ``guarded``; the user ``rollcall`` needs none on this machine."""

LETS_IN = """\
local all all trust
host all guarded 127.0.0.1/32 scram-sha-256
host all all 127.0.0.1/32 trust
"""


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine, if there is one."""
    for version in range(30, 13, -1):
        for pattern in BINARIES:
            if (folder := Path(pattern.format(version))).is_dir():
                return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class Server(NamedTuple):
    """A running server; databases are made one after the other."""

    port: int
    folder: Path
    numbers: "count[int]"

    def url(self, database: str, user: str = "rollcall") -> str:
        """Return the address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}"

    def create(self, template: str = "template0", name: str | None = None) -> str:
        """Make a database and return its address."""
        name = name or f"test_{next(self.numbers)}"
        made = sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        )
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(made)
        return self.url(name)


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Run a server in a new folder; a superuser runs it as the user postgres."""
    bin_, data = binaries(), folder / "data"
    assert bin_ is not None
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def run(program: str, *arguments: str | Path) -> None:
        log = folder / "said"
        with log.open("ab") as said:
            ended = subprocess.run(
                [*as_user, bin_ / program, "-D", data, *arguments],
                cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said, check=False,
            )  # fmt: skip
        assert ended.returncode == 0, log.read_text(encoding="utf-8")

    (folder / "said").touch()
    locale = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US")
    run("initdb", "-U", "rollcall", "-A", "trust", "-E", "UTF8", "--no-sync", *locale)
    (data / "pg_hba.conf").write_text(LETS_IN, encoding="utf-8")
    options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
    run("pg_ctl", "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield Server(port, folder, count())
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Yield a server with a user of a password and a database that has our tables."""
    if sys.platform == "win32" or binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    # The user who runs it must get there, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="rollcall-"))
    folder.chmod(0o755)
    try:
        with running(folder) as server:
            with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
                made = sql.SQL("CREATE USER guarded SUPERUSER PASSWORD {}")
                connection.execute(made.format(PASSWORD))
            open_store(Database(server.create(name="ready"))).dispose()
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres(postgres_server: Server) -> str:
    """Return the address of a fresh database."""
    return postgres_server.create()
