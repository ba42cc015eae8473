"""Fixtures of real services: one broker and one server for all workers of a test run."""

import fcntl
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

import pytest

from infra.kafka import Cluster, jars
from infra.kafka.cluster import Security
from infra.postgres import Postgres, server
from infra.processes import alone
from infra.prometheus import server as prometheus_server

Service = TypeVar("Service")

MARKERS = {
    "kafka": "kafka",
    "kafka_cluster": "kafka",
    "kafka_tools": "kafka",
    "postgres": "postgres",
    "postgres_server": "postgres",
    "prometheus": "prometheus",
}
"""Whoever takes such a fixture bears the marker."""


@contextmanager
def shared(
    lock: Path, up: Callable[[], Service], down: Callable[[Service], None]
) -> Iterator[Service]:
    """Yield what the first worker starts and the last one ends.

    Every user holds a shared lock, which the kernel takes from whoever dies.
    """
    with lock.with_suffix(".users").open("w") as users:
        with alone(lock):
            service = up()
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield service
        finally:
            with alone(lock):
                try:
                    fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    fcntl.flock(users, fcntl.LOCK_UN)
                else:
                    down(service)


@contextmanager
def shared_cluster(lock: Path, folder: Path, security: Security = "plaintext") -> Iterator[Cluster]:
    """Yield one running broker for all workers."""

    def up() -> Cluster:
        cluster = Cluster(folder, security=security)
        cluster.up()
        return cluster

    with shared(lock, up, lambda cluster: cluster.discard()) as one:
        yield one


@pytest.fixture(scope="session")
def locks(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that all workers of this run have in common."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if hasattr(request.config, "workerinput") else mine


@pytest.fixture(scope="session")
def service_folder(testrun_uid: str) -> str:
    """Return how this run's folders begin; in /tmp, where PostgreSQL's user may go too."""
    return f"{tempfile.gettempdir()}/rollcall-{testrun_uid[:12]}"


@pytest.fixture(scope="session")
def kafka_tools() -> None:
    """Skip in words where there is neither Java nor Maven."""
    lacking = jars.missing_tools()
    if lacking:
        pytest.skip(lacking)


@pytest.fixture(scope="session")
def kafka_cluster(
    kafka_tools: None,  # noqa: ARG001 - it skips where there can be no broker
    locks: Path,
    service_folder: str,
) -> Iterator[Cluster]:
    """Return a running broker that is shared: nobody may stop it."""

    with shared_cluster(locks / "kafka.lock", Path(f"{service_folder}-kafka")) as one:
        yield one


@pytest.fixture(scope="session")
def kafka(kafka_cluster: Cluster) -> str:
    """Return the bootstrap servers of the shared broker; topics are named by the test."""
    return kafka_cluster.bootstrap


@pytest.fixture(scope="session")
def prometheus() -> None:
    """Skip in words where neither Prometheus nor promtool is; a test starts its own."""
    lacking = prometheus_server.missing()
    if lacking:
        pytest.skip(lacking)


@pytest.fixture(scope="session")
def postgres_server(locks: Path, service_folder: str) -> Iterator[Postgres]:
    """Return a running server that is shared, or skip in words where there is none."""
    lacking = server.missing()
    if lacking:
        pytest.skip(lacking)

    def up() -> Postgres:
        one = Postgres(Path(f"{service_folder}-postgres"), fsync=False)
        one.start()
        return one

    with shared(locks / "postgres.lock", up, lambda one: one.discard()) as one:
        yield one


@pytest.fixture
def postgres(postgres_server: Postgres) -> Iterator[str]:
    """Return the address of a database of the test's own."""
    name = f"test_{uuid4().hex}"
    yield postgres_server.create_database(name)
    postgres_server.drop_database(name)
