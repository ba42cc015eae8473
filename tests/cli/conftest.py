"""The command line in process, on a data directory of its own."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from streams.cli import main


class Answered:
    """What a call of the command line gave."""

    def __init__(self, result):
        self.code = result.exit_code
        self.out = result.stdout
        self.err = result.stderr
        self.raw = result.stdout_bytes

    @property
    def lines(self):
        return self.out.splitlines()

    @property
    def rows(self):
        return [json.loads(line) for line in self.lines]


class Rollcall:
    """Calls ``rollcall --data DIR ...``; an exception of ours fails the test."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.data = folder / "data"

    def __call__(self, *words, code=0, data=None):
        line = ["--data", str(data or self.data), *map(str, words)]
        result = CliRunner().invoke(main, line, catch_exceptions=False)
        assert result.exit_code == code, (result.exit_code, result.stdout, result.stderr)
        return Answered(result)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def events(self, name, *events):
        return self.file(name, "".join(json.dumps(event) + "\n" for event in events))


@pytest.fixture
def rollcall(tmp_path):
    return Rollcall(tmp_path)
