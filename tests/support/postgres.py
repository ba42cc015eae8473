"""A PostgreSQL server of our own for tests: its words sort as in English, not by bytes."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

BINARIES = ("/usr/lib/postgresql/{}/bin", "/usr/pgsql-{}/bin")

LETS_IN = """\
local all all trust
host all rollcall 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""
"""The user ``rollcall`` needs no password on this machine, all others do."""


def binaries() -> Path | None:
    """Return the folder of the newest PostgreSQL on this machine, if there is one."""
    for version in range(30, 13, -1):
        for pattern in BINARIES:
            if (folder := Path(pattern.format(version))).is_dir():
                return folder
    found = shutil.which("initdb")
    return Path(found).parent if found else None


class Server(NamedTuple):
    """A running server, and how to make a database there."""

    port: int

    def url_of(self, database: str) -> str:
        """Return the address of a database."""
        return f"postgresql://rollcall@127.0.0.1:{self.port}/{database}"

    def create_database(self, name: str, template: str = "template1") -> str:
        """Make a database and return its address."""
        names = sql.Identifier(name), sql.Identifier(template)
        with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url_of(name)


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
        yield Server(port)
    finally:
        run("pg_ctl", "-w", "-m", "immediate", "stop")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Yield a running server, or skip in words where there is none."""
    if sys.platform == "win32" or binaries() is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    # The user who runs it must get there, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="rollcall-"))
    folder.chmod(0o755)
    try:
        with running(folder) as server:
            yield server
    finally:
        shutil.rmtree(folder)


@pytest.fixture
def postgres(postgres_server: Server) -> str:
    """Return the address of a fresh database."""
    return postgres_server.create_database(f"test_{uuid4().hex}")
