"""The dashboard as a process: settings found, told to stop, warned of a wide door."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx

from dashboard import guard
from dashboard.__main__ import arguments
from tests.support.screens import running

ROOT = Path(__file__).parents[2]
ASK = """
import json, pathlib, sys
from streamlit import config
from dashboard import guard
from dashboard.app import compose
from tests.support.screens import process
compose(process(pathlib.Path(sys.argv[1])), lambda engine, situation: {}, guard.HOSTS)
names = '''
browser.gatherUsageStats client.showErrorDetails client.showErrorLinks client.toolbarMode
runner.postScriptGC server.enableStaticServing theme.fontFaces'''
print(json.dumps({name: config.get_option(name) for name in names.split()}))
"""
"""Puts the application together as the dashboard does and says what Streamlit has read."""


def test_it_answers_on_loopback_and_ends_with_0_when_told_to_stop(
    data: Path, tmp_path: Path
) -> None:
    with (
        running(data, tmp_path) as app,
        httpx.stream("GET", f"{app.url}/api/live/wall", timeout=20, trust_env=False) as answer,
    ):
        lines = answer.iter_lines()
        assert next(lines) == "retry: 1000"
        frame = next(line for line in lines if line.startswith("data: "))
        assert json.loads(frame.removeprefix("data: "))["affected"] == 2
        os.kill(app.pid, signal.SIGINT)
        rest = [line.partition(":")[0] for line in lines]  # a stream that is cut raises
        assert set(rest) <= {"", "id", "data"}


def test_streamlit_finds_our_settings_wherever_it_is_started(data: Path, tmp_path: Path) -> None:
    asked = subprocess.run(
        [sys.executable, "-c", ASK, data],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = json.loads(asked.stdout)
    faces = found.pop("theme.fontFaces")
    assert found == {
        "browser.gatherUsageStats": False,
        "client.showErrorDetails": "none",
        "client.showErrorLinks": False,
        "client.toolbarMode": "minimal",
        "runner.postScriptGC": False,
        "server.enableStaticServing": False,
    }
    assert sorted(face["url"] for face in faces) == [
        f"/assets/vendor/fonts/inter-{subset}-{weight}-normal.woff2"
        for subset in ("latin", "latin-ext")
        for weight in (400, 600, 800)
    ]
    assert all(face["unicodeRange"].startswith("U+") for face in faces)


def test_loopback_is_the_default_and_no_other_needs_to_be_named() -> None:
    wanted = arguments(["--data", "somewhere"])
    assert (wanted.host, wanted.port, wanted.api) == ("127.0.0.1", 8501, "http://127.0.0.1:8080")
    assert wanted.host in guard.LOOPBACK
