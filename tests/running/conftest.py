"""A scenario of two hours that is played in seconds."""

import pytest

from tests.cli.conftest import Rollcall
from tests.cli.crisis import scenario

POLLS = """
        [[poll]]
        feed = "gdacs"
        interval_s = 360
        [[poll.silent]]
        from = 2023-02-06T02:30:00Z
        to = 2023-02-06T04:00:00Z
        state = "down"
        reason = "answered HTTP 503"
"""


@pytest.fixture
def rollcall(tmp_path):
    return Rollcall(tmp_path)


@pytest.fixture
def small(rollcall):
    """The folder of a small crisis with 200 more people, and a feed that stops."""
    folder = scenario(rollcall)
    path = folder / "scenario.toml"
    head, entries = path.read_text().split("        [[entry]]", 1)
    register = """
        [population]
        seed = 7
        people = 200
        around = 2023-02-06
"""
    path.write_text(f"{head}{register}{POLLS}        [[entry]]{entries}")
    return folder
