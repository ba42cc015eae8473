"""A receiver on this machine, and the command line."""

import pytest

from tests.channels.builders import receiving
from tests.cli.conftest import Rollcall


@pytest.fixture
def receiver():
    with receiving() as server:
        yield server


@pytest.fixture
def rollcall(tmp_path):
    return Rollcall(tmp_path)
