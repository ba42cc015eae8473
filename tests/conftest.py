"""What all tests share: example budgets, recorded payloads, and no silent skips."""

import os
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

from tests.support import services
from tests.support.services import (
    kafka,
    kafka_cluster,
    kafka_tools,
    locks,
    postgres,
    postgres_server,
    prometheus,
    service_folder,
)

__all__ = [
    "kafka",
    "kafka_cluster",
    "kafka_tools",
    "locks",
    "postgres",
    "postgres_server",
    "prometheus",
    "service_folder",
]

NO_SAMPLES = "ROLLCALL_SAMPLES is not set; it names the folder of recorded feed payloads"

# No deadline: a test's time is the machine's affair. Derandomised: what fails, fails again.
hypothesis.settings.register_profile(
    "default",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.register_profile(
    "long",
    deadline=None,
    max_examples=1000,
    print_blob=True,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile(os.environ.get("ROLLCALL_HYPOTHESIS", "default"))


def required() -> frozenset[str]:
    """Return the markers whose tests must not be skipped (ROLLCALL_REQUIRE)."""
    return frozenset(os.environ.get("ROLLCALL_REQUIRE", "").replace(",", " ").split())


def pytest_configure(config: pytest.Config) -> None:
    """Refuse a requirement that no marker answers to: it would require nothing."""
    known = {line.partition(":")[0] for line in config.getini("markers")}
    unknown = sorted(required() - known)
    if unknown:
        msg = f"ROLLCALL_REQUIRE names no marker of ours: {', '.join(unknown)}"
        raise pytest.UsageError(msg)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark whatever uses recorded payloads or a real service, so that it can be required."""
    of_fixture = {"samples": "samples", **services.MARKERS}
    for item in items:
        for marker in {of_fixture.get(name) for name in getattr(item, "fixturenames", ())}:
            if marker is not None:
                item.add_marker(marker)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn the skip of a required test into a failure that says so."""
    report = yield
    held = sorted(required() & {mark.name for mark in item.iter_markers()})
    if report.skipped and held and not hasattr(report, "wasxfail"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"skipped, but ROLLCALL_REQUIRE asks for {', '.join(held)}: {why}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a file that is skipped whole: whether it was required is not known."""
    report = yield
    if report.skipped and required():
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} was skipped whole while ROLLCALL_REQUIRE is set"
    return report


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of recorded feed payloads, or skip where there is none."""
    folder = os.environ.get("ROLLCALL_SAMPLES")
    if not folder:
        pytest.skip(NO_SAMPLES)
    path = Path(folder)
    if not path.is_dir():
        msg = f"ROLLCALL_SAMPLES={folder} is not a folder"
        raise FileNotFoundError(msg)
    return path
