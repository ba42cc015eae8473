"""What must hold of the files themselves, so that a stranger can build and read them."""

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LOCKS = ("requirements.txt", "requirements-dev.txt")

MAX_LINES = 400
LONGER: dict[str, str] = {}
"""Source files that may be longer, each with the reason it is not split."""

LOCK_LINE = re.compile(
    r"(?P<name>[a-z0-9-]+)==[0-9][\w.!+]*( ; [^\\#@]+)?( \\)?|    --hash=sha256:[0-9a-f]{64}( \\)?"
)
REGISTRY = re.compile(
    r"--(extra-)?index-url[ =]+\S*:|\b(pypi|registry\.\w+|files\.\w+hosted)\.(org|com|io)\b"
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(work|root|home|Users)/\w")
EXCUSE = re.compile(r"# (noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\])(?P<reason>.*)")


def tracked() -> list[Path]:
    """Return the files of the repository: tracked, or about to be."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git here; which files are the repository's is not known")
    listed = subprocess.run(
        [git, "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [path for path in files if path.is_file()]


def lines_of(*suffixes: str) -> list[tuple[str, str]]:
    """Return (file:line, text) of all text files, or those with a suffix."""
    found = []
    for path in tracked():
        if suffixes and path.suffix not in suffixes:
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        name = path.relative_to(ROOT)
        found += [(f"{name}:{number}", line) for number, line in enumerate(text.split("\n"), 1)]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_versions_and_hashes_and_nothing_else(lock: str) -> None:
    lines = (ROOT / lock).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not LOCK_LINE.fullmatch(line)] == []


def locked(lock: str) -> dict[str, str]:
    """Return the locked version of every name."""
    pins = re.findall(
        r"^([a-z0-9-]+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(pins) == len(dict(pins)), "a name is locked twice"
    return dict(pins)


def test_both_locks_agree_and_hold_every_declared_library() -> None:
    run_time, everything = map(locked, LOCKS)
    assert run_time.items() <= everything.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    names = [re.split(r"[\[<>=]", line)[0] for line in project["dependencies"]]
    assert set(names) <= set(run_time)
    tools = [re.split(r"[<>=]", line)[0] for line in project["optional-dependencies"]["dev"]]
    assert set(tools) <= set(everything)


def test_no_file_names_a_package_registry() -> None:
    assert [where for where, line in lines_of() if REGISTRY.search(line)] == []


def test_no_file_names_a_path_of_one_machine() -> None:
    assert [where for where, line in lines_of() if MACHINE_PATH.search(line)] == []


def test_no_source_file_is_longer_than_one_can_hold_in_mind() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in tracked()
        if path.suffix in {".py", ".sh"} or path.name in {"Makefile", "pyproject.toml"}
    }
    too_long = {name: length for name, length in lengths.items() if length > MAX_LINES}
    assert set(too_long) == set(LONGER), too_long


def test_every_lint_setting_that_excuses_says_why() -> None:
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8").splitlines()
    excuse = re.compile(r'^(    "[A-Z]+[0-9]*",|    "(ignore|default):.*",|".+" = \["[A-Z])')
    excuses = [line for line in settings if excuse.match(line) and '"ALL"' not in line]
    assert len(excuses) > 15
    assert [line for line in excuses if not re.search(r"# \S.{4,}$", line)] == []


def test_every_excuse_in_the_code_says_why() -> None:
    """As in ``# noqa: S603 - fixed arguments`` or a comment of its own behind."""
    silent = [
        where
        for where, line in lines_of(".py")
        if (match := EXCUSE.search(line)) and len(match["reason"].strip(" -#")) < 8
    ]
    assert silent == [], "\n".join(silent)


def test_every_make_target_is_explained_to_whoever_comes_new() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))
    assert {"setup", "demo", "test", "lint", "bench", "oracle"} <= targets
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    told = "".join(page.read_text(encoding="utf-8") for page in pages if page.is_file())
    assert sorted(target for target in targets if f"make {target}" not in told) == []


def test_every_make_target_is_declared_phony() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert phony is not None
    assert set(phony[1].split()) == set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def test_the_changelog_begins_with_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)", changelog, re.MULTILINE)[0] == project["version"]


def test_the_licence_is_whole() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2\n")
    articles = [int(number) for number in re.findall(r"^(\d+)\.[A-Z]", text, re.MULTILINE)]
    assert articles == list(range(1, 16))
    assert "according to Article 5 EUPL are:" in text, "the appendix is missing"


def test_decisions_are_numbered_without_a_gap_and_have_the_same_parts() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, len(pages) + 1))
    parts = ["Status quo", "Decision", "Alternatives", "Consequences"]
    for page in pages:
        assert re.findall(r"^## (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE) == parts, (
            page.name
        )
