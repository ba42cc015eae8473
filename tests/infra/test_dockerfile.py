"""The Dockerfile: linted, built from the lock, and every RUN line executed without Docker."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.dockerfile import DOCKERFILE, ROOT, instructions
from tests.test_repository import tracked

IN_WHEEL = ("schemas", "geo", "streams", "dashboard")


def test_hadolint_has_nothing_to_say():
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run(
        [hadolint, "--no-color", DOCKERFILE], capture_output=True, text=True, check=False
    )
    assert (said.stdout, said.returncode) == ("", 0)


def test_every_stage_begins_with_the_same_pinned_python():
    bases = {one.said.partition(" ")[0] for one in instructions() if one.name == "FROM"}
    (base,) = bases
    assert re.fullmatch(r"python:3\.12\.\d+-slim-[a-z]+", base)


def test_whatever_pip_installs_is_locked_by_hash_or_made_here():
    installs = [
        part
        for one in instructions()
        if one.name == "RUN"
        for part in one.said.split("&&")
        if " pip install " in part
    ]
    assert len(installs) == 3
    for one in installs:
        assert "--require-hashes" in one or "--no-deps --no-index" in one


def test_the_last_stage_runs_nothing_and_ends_as_a_user():
    last = [one for one in instructions() if one.stage == ""]
    assert "RUN" not in {one.name for one in last}
    assert [one.said for one in last if one.name == "USER"] == ["10001:10001"]


def context(folder):
    """Copy what .dockerignore lets through: the last pattern that fits counts."""
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    for path in tracked():
        name = path.relative_to(ROOT).as_posix()
        parents = [name, *(one.as_posix() for one in Path(name).parents)]
        kept = True
        for pattern in patterns:
            wanted = pattern.removeprefix("!")
            if any(
                fnmatch.fnmatchcase(f"/{one}", f"/{wanted}".replace("/**/", "*/"))
                for one in parents
            ):
                kept = pattern.startswith("!")
        if kept:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, folder / name)


def test_no_test_and_no_secret_is_in_the_context(tmp_path):
    context(tmp_path)
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        *("LICENSE", "README.md", "dashboard", "geo", "infra", "pyproject.toml"),
        *("requirements-dev.txt", "requirements.txt", "schemas", "streams"),
    ]
    assert [one.name for one in (tmp_path / "infra").iterdir()] == ["assets"]


def run(line, source, opt):
    """Execute a RUN line with `/opt` and `/src` elsewhere, as in an image: nothing is known yet."""
    line = re.sub(r"^python ", f"{sys.executable} ", line.replace("/opt/", f"{opt}/"))
    known = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(["/bin/sh", "-c", line], cwd=source, env=known, check=True)


def test_the_wheel_holds_every_file_of_the_packages(tmp_path):
    source = tmp_path / "src"
    context(source)
    lines = (one.said for one in instructions() if one.name == "RUN")
    (wheel,) = [part.strip() for line in lines for part in line.split("&&") if "pip wheel" in part]
    tool, _, rest = wheel.partition(" ")
    assert tool == "/opt/tools/bin/python"
    run(f"{sys.executable} {rest}", source, tmp_path)
    (built,) = (tmp_path / "dist").glob("rollcall-*.whl")
    names = set(zipfile.ZipFile(built).namelist())
    ours = {path.relative_to(ROOT).as_posix() for path in tracked()}
    expected = {name for name in ours if name.split("/")[0] in IN_WHEEL}
    beside = {n for n in expected if n.endswith((".md", "ruff.toml")) or "/examples/" in n}
    assert expected - names - beside == set()


@pytest.mark.slow
@pytest.mark.assets
@pytest.mark.timeout(1800)
def test_every_run_line_succeeds_and_what_it_installs_works(tmp_path):
    """In order, stage by stage; `/opt` and `/src` are folders of this test."""
    source, made = tmp_path / "src", tmp_path / "opt"
    context(source)
    made.mkdir()
    lines = [one.said for one in instructions() if one.name == "RUN"]
    assert len(lines) == 4
    for line in lines:
        run(line, source, made)
    rollcall = made / "rollcall/bin/rollcall"
    said = subprocess.run(
        [rollcall, "--version"], capture_output=True, text=True, check=True, cwd="/", env={}
    )
    assert "0.3.0" in said.stdout
    packages = made / "rollcall/lib"
    assert list(packages.glob("python3.*/site-packages/dashboard/static/vendor/*.pmtiles"))
    assert (made / "data").is_dir()
