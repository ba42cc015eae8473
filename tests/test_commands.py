"""The commands that the Makefile and the README tell people to type."""

import re
import shlex
from pathlib import Path

import click
import pytest

from streams.cli import main

ROOT = Path(__file__).parents[1]

VARIABLES = {"DEMO": "var/demo", "MINUTES": "10", "AT_END": "stop"}
"""The Makefile's, as it has them."""


def commands() -> list[str]:
    """Return every `rollcall ...` line of the Makefile's recipes and the README."""
    recipes = re.findall(
        r"^\t\$\(BIN\)/(rollcall .*)$", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    blocks = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    typed = [line for block in blocks for line in block.splitlines() if line.startswith("rollcall")]
    return recipes + typed


def test_there_are_commands_to_check() -> None:
    assert len(commands()) >= 10


@pytest.mark.parametrize("line", commands())
def test_every_command_shown_can_be_parsed(line: str, tmp_path: Path, monkeypatch) -> None:
    for name in re.findall(r"[\w.-]+\.(?:ndjson|json|csv)", line):
        (tmp_path / name).touch()
    (tmp_path / "streams").symlink_to(ROOT / "streams")
    monkeypatch.chdir(tmp_path)
    for name, value in VARIABLES.items():
        line = line.replace(f"$({name})", value)
    words = shlex.split(line, comments=True)[1:]
    with main.make_context("rollcall", words) as context:
        rest = [*context._protected_args, *context.args]
        name, command, arguments = main.resolve_command(context, rest)
        assert command
        while isinstance(command, click.Group):
            with command.make_context(name, arguments, parent=context) as inner:
                rest = [*inner._protected_args, *inner.args]
                name, command, arguments = command.resolve_command(inner, rest)
                assert command
        with command.make_context(name, arguments, parent=context):
            pass
