"""Who may import whom, and what the pure core may call (ARCHITECTURE.md)."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PURE = ("schemas", "geo", "streams/core")
WRITES = {ROOT / "schemas/export.py"}
"""The one file of the pure packages that writes: the published schemas."""

FAULTS = {
    "geo/uses_streams.py": "import streams.topology",
    "schemas/uses_geo.py": "import geo",
    "streams/core/uses_backend.py": "import streams.backends.sqlite",
    "streams/core/reads_the_clock.py": "import time",
    "streams/core/throws_dice.py": "import random",
    "streams/core/desk.py": "import streams.core.shard",
    "streams/feeds/one.py": "import streams.feeds.two",
    "streams/serving/uses_pump.py": "import streams.pump",
    "streams/nowhere.py": "",
    "dashboard/uses_core.py": "import streams.core.stage",
    "dashboard/uses_geo.py": "import geo",
    "dashboard/uses_infra.py": "import infra.kafka",
}
SOUND = {
    "dashboard/page.py": "import streams.serving.queries",
    "geo/__init__.py": "import schemas",
    "schemas/__init__.py": "",
    "streams/__init__.py": "",
    "streams/backends/__init__.py": "",
    "streams/backends/sqlite.py": "import sqlite3, streams.core.stage",
    "streams/core/__init__.py": "",
    "streams/core/shard.py": "import streams.core.stage",
    "streams/core/stage.py": "import schemas",
    "streams/feeds/__init__.py": "import streams.feeds.two",
    "streams/feeds/base.py": "",
    "streams/feeds/two.py": "import streams.feeds.base",
    "streams/pump.py": "import streams.topology",
    "streams/serving/__init__.py": "",
    "streams/serving/queries.py": "",
    "streams/topology.py": "",
    "dashboard/__init__.py": "",
}
"""A tree in small that keeps every contract; FAULTS are what breaks them."""


def lint_imports(where: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
    )


def tree(where: Path, files: dict[str, str]) -> Path:
    shutil.copy(ROOT / "pyproject.toml", where)
    for name, text in files.items():
        path = where / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n", encoding="utf-8")
    return where


def test_this_repository_keeps_its_import_contracts() -> None:
    result = lint_imports(ROOT)
    assert result.returncode == 0, result.stdout


def test_a_sound_tree_keeps_them(tmp_path: Path) -> None:
    result = lint_imports(tree(tmp_path, SOUND))
    assert result.returncode == 0, result.stdout


def test_every_seeded_fault_is_reported(tmp_path: Path) -> None:
    result = lint_imports(tree(tmp_path, SOUND | FAULTS))
    assert result.returncode == 1
    modules = [name.removesuffix(".py").replace("/", ".") for name in FAULTS]
    seen = [
        re.search(rf"^- +{re.escape(module)}( -> |$)", result.stdout, re.MULTILINE) is not None
        for module in modules
    ]
    assert dict(zip(modules, seen, strict=True)) == dict.fromkeys(modules, True), result.stdout


IMPURE = """import os
from datetime import UTC, date, datetime
from uuid import uuid4

import numpy as np

SEEDED = [os.environ, datetime.now(UTC), date.today(), uuid4(), np.random.default_rng(1)]
"""


@pytest.mark.parametrize("package", PURE)
def test_the_nested_ruff_settings_see_impure_calls(package: str) -> None:
    ruff = str(Path(sys.executable).with_name("ruff"))
    where = ["--output-format", "concise", "--stdin-filename", f"{package}/seeded.py", "-"]
    result = subprocess.run(
        [ruff, "check", "--quiet", "--select", "TID251", *where],
        cwd=ROOT,
        input=IMPURE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line.split("`")[1] for line in result.stdout.splitlines()] == [
        "os",
        "uuid.uuid4",
        "datetime.datetime.now",
        "datetime.date.today",
        "numpy.random",
    ]


def calls(path: Path) -> set[str]:
    """Return the names of all plain functions that a file calls."""
    return {
        node.func.id
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }


@pytest.mark.parametrize("package", PURE)
def test_pure_code_opens_nothing_prints_nothing_and_hashes_no_text(package: str) -> None:
    banned = {"open", "print", "input", "hash", "exec", "eval"}
    found = {
        str(path.relative_to(ROOT)): sorted(calls(path) & banned)
        for path in (ROOT / package).rglob("*.py")
        if calls(path) & banned
    }
    assert found == {}


@pytest.mark.parametrize("package", ["schemas", "streams/core"])
def test_messages_and_core_touch_no_file(package: str) -> None:
    reading = {"pathlib", "io", "shutil", "importlib"}
    found = [
        str(path.relative_to(ROOT))
        for path in sorted((ROOT / package).rglob("*.py"))
        if path not in WRITES and imports(path) & reading
    ]
    assert found == []


def test_the_oracle_shares_nothing_with_what_it_judges() -> None:
    """It may use numpy and pyproj; only its report, the driver of it and its tests may use more."""
    allowed = set(sys.stdlib_module_names) | {"numpy", "pyproj", "tests"}
    found = {
        path.name: sorted(imports(path) - allowed)
        for path in sorted((ROOT / "tests/oracle").glob("*.py"))
        if path.name not in {"report.py", "drive.py"}
        and not path.name.startswith("test_")
        and imports(path) - allowed
    }
    assert found == {}


def imports(path: Path) -> set[str]:
    """Return the top-level names of all modules that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names
