"""PostgreSQL from Debian's package, run without the package's own service."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from infra import processes
from infra.processes import Process, ServiceError, say

if TYPE_CHECKING:
    from psycopg import Connection

USER = "rollcall"
DATABASE = "rollcall"
PACKAGES = Path("/usr/lib/postgresql")
START_PATIENCE_S = 60.0
STOP_PATIENCE_S = 20.0
SETTINGS = """
# Written by infra/postgres. Loopback only, no Unix socket, passwords as SCRAM.
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = ''
password_encryption = scram-sha-256
max_connections = 50
shared_buffers = 64MB
fsync = {fsync}
"""


# As on a usual Debian, words sort as in English, not by bytes; with ICU on every machine alike.
LOCALE = "--locale=C.UTF-8 --locale-provider=icu --icu-locale=en-US"


def missing() -> str | None:
    """Return in words what this machine lacks, None when nothing."""
    if binaries() is None:
        return "PostgreSQL is not installed; on Debian and Ubuntu: apt-get install postgresql"
    return None


def binaries() -> Path | None:
    """Return the folder of the newest installed version; it is on no PATH in Debian."""
    found = [path.parent for path in PACKAGES.glob("*/bin/postgres")]
    newest = max(found, key=lambda path: float(path.parent.name), default=None)
    if newest is None and (on_path := shutil.which("postgres")):
        return Path(on_path).resolve().parent
    return newest


def user_to_run_as() -> str | None:
    """Return whom to become: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


class Postgres:
    """One server with one user and one database; its folder says the rest.

    As a context manager it starts and ends the server. The password stands in
    a file that libpq reads, so it is in no URL and in no list of processes.
    """

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        fsync: bool = True,
        options: Sequence[str] = (),
    ) -> None:
        self.folder = folder.resolve()
        # Of the server's command line: they count before its settings file.
        self.options = options
        self.data = self.folder / "data"
        self.password_file = self.folder / "pgpass"
        self.process = Process(self.folder / "pid", self.folder / "server.log")
        # Without it only a power cut loses anything; a killed server does not.
        self.fsync = fsync
        kept = self.folder / "port"
        if kept.is_file():
            port = int(kept.read_text(encoding="utf-8"))
        elif port is None:
            port = processes.free_ports(1)[0]
        elif processes.taken(port):
            msg = f"port {port} is taken; choose another with --port"
            raise ServiceError(msg)
        self.port: int = port

    def __enter__(self) -> Self:
        """Start the server."""
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    @property
    def url(self) -> str:
        """The address of the first database, for psycopg and other clients of libpq."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """Return the address of a database; libpq looks the password up in the file."""
        where = f"127.0.0.1:{self.port}/{database}"
        return f"postgresql://{USER}@{where}?passfile={quote(str(self.password_file))}"

    def start(self) -> None:
        """Create what is new, start the server, wait until it answers with the password."""
        lacking = missing()
        if lacking:
            raise ServiceError(lacking)
        if not (self.data / "PG_VERSION").is_file():
            self.create()
        command: list[str | Path] = [self.binary("postgres"), "-D", self.data, *self.options]
        self.process.start(command, user=user_to_run_as())
        self.process.wait_for(self.answers, START_PATIENCE_S, "PostgreSQL")
        self.create_database(DATABASE)

    def stop(self) -> bool:
        """Stop in order, without waiting for clients. False if it had to be killed."""
        if self.process.pid is None:
            return True
        return self.process.stop(signal.SIGINT, STOP_PATIENCE_S)

    def discard(self) -> None:
        """Stop the server and delete the folder, data and all."""
        self.stop()
        shutil.rmtree(self.folder)

    def kill(self) -> None:
        """End the server and what it has forked, as a power cut does."""
        pid = self.process.pid
        if pid is None:
            return
        # A server cannot start again while a child of the old one holds its shared memory.
        children = children_of(pid)
        self.process.kill()
        if not processes.all_ended(children, STOP_PATIENCE_S):
            msg = f"processes of the killed server are still there: {children}"
            raise ServiceError(msg)
        # Where nothing reaps orphans (a container), the dead one would still be found by its pid.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    def answers(self) -> bool:
        """Return whether the user can log in."""
        import psycopg  # noqa: PLC0415 - stopping works without the client

        try:
            with psycopg.connect(self.url_of("postgres"), connect_timeout=5):
                return True
        except psycopg.OperationalError:
            return False

    def create_database(self, name: str, template: str = "template1") -> str:
        """Create a database unless it is there; return its address."""
        from psycopg import sql  # noqa: PLC0415 - stopping works without the client

        with self.administration() as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, [name]).fetchone() is None:
                names = sql.Identifier(name), sql.Identifier(template)
                connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is still connected."""
        from psycopg import sql  # noqa: PLC0415 - stopping works without the client

        drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
        with self.administration() as connection:
            connection.execute(drop)

    def administration(self) -> "Connection[tuple[Any, ...]]":
        """Return a connection to the database that always exists."""
        import psycopg  # noqa: PLC0415 - stopping works without the client

        return psycopg.connect(self.url_of("postgres"), autocommit=True)

    def create(self) -> None:
        """Create the cluster's files, owned by the user that the server runs as."""
        self.folder.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(18)
        for_initdb = self.folder / "password"
        write_secret(for_initdb, password)
        write_secret(self.password_file, f"127.0.0.1:{self.port}:*:{USER}:{password}\n")
        user = user_to_run_as()
        if user is not None:
            shutil.chown(self.folder, user, processes.group_of(user))
            shutil.chown(for_initdb, user)
        command = f"{self.binary('initdb')} --auth=scram-sha-256 --encoding=UTF8 {LOCALE}"
        files = [f"--username={USER}", f"--pwfile={for_initdb}", f"--pgdata={self.data}"]
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [*command.split(), "--no-instructions", "--no-sync", *files],
            # The user of the server may not be allowed to be where we are.
            cwd="/",
            capture_output=True,
            text=True,
            check=False,
            user=user,
            group=None if user is None else processes.group_of(user),
            extra_groups=None if user is None else [],
        )
        for_initdb.unlink()
        if done.returncode != 0:
            shutil.rmtree(self.data, ignore_errors=True)
            as_whom = f" as user {user} (may it enter {self.folder}?)" if user else ""
            msg = f"initdb failed{as_whom}:\n{done.stderr}"
            raise ServiceError(msg)
        with (self.data / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(SETTINGS.format(port=self.port, fsync="on" if self.fsync else "off"))
        (self.folder / "port").write_text(str(self.port), encoding="utf-8")

    def binary(self, name: str) -> Path:
        """Return one of PostgreSQL's programs."""
        folder = binaries()
        if folder is None:
            raise ServiceError(missing() or "")
        return folder / name


def write_secret(path: Path, text: str) -> None:
    """Write a file that its owner alone can read."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def children_of(pid: int) -> list[int]:
    """Return the processes that one has forked."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8")
    return [int(child) for child in listed.split()]


def default_folder() -> Path:
    """Return the folder of `make postgres-up`: in the project, or where root's stand-in may go."""
    if user_to_run_as() is None:
        return Path(__file__).resolve().parents[2] / "var/postgres"
    say("postgres: root may not run it, so its files are in /var/tmp")
    return Path("/var/tmp/rollcall-postgres")  # noqa: S108 - the folder is the server's own user's alone
