"""A store with a small crisis in it, and a dashboard process over it."""

from pathlib import Path

import pytest

from dashboard.process import Process
from tests.support import screens


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a data directory whose serving store holds the small crisis."""
    screens.fill(tmp_path)
    return tmp_path


@pytest.fixture
def process(data: Path) -> Process:
    """Return the parts of a dashboard over that store; nothing runs yet."""
    return screens.process(data)
