"""Apache Kafka's jars: fetched by Maven once, verified by hash every time."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.processes import ServiceError, alone, say

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
POM = HERE / "pom.xml"
LOCK = HERE / "jars.sha256"
LOGGING = HERE / "log4j2.properties"
TOOLS = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
"""What must be installed, and the Debian package that it comes with."""


def missing_tools() -> str | None:
    """Return in words what this machine lacks for a broker, None when nothing."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if not missing:
        return None
    packages = " ".join(TOOLS[tool] for tool in missing)
    names = " and ".join(missing)
    return f"Apache Kafka needs {names}; on Debian and Ubuntu: apt-get install {packages}"


def default_folder() -> Path:
    """Return where the jars are kept: in the virtual environment, else in var."""
    in_environment = sys.prefix != sys.base_prefix
    return (Path(sys.prefix) if in_environment else ROOT / "var") / "kafka-jars"


def jars(folder: Path | None = None) -> Path:
    """Return a folder with exactly the locked jars; Maven fetches them the first time.

    Folders are named by the lock, so that two versions can stand side by side.
    """
    wanted = locked()
    version = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    lib = (folder or default_folder()) / version
    lib.parent.mkdir(parents=True, exist_ok=True)
    with alone(lib.parent / "lock"):
        if not lib.is_dir():
            with fetched(lib.parent) as fresh:
                verify(fresh, wanted)
                fresh.rename(lib)
    verify(lib, wanted)
    return lib


def locked() -> dict[str, str]:
    """Return the SHA-256 of every jar of the lock."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def digests(lib: Path) -> dict[str, str]:
    """Return the SHA-256 of every jar of a folder."""
    found = {}
    for path in sorted(lib.glob("*.jar")):
        with path.open("rb") as file:
            found[path.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return found


def verify(lib: Path, wanted: dict[str, str]) -> None:
    """Refuse a folder that holds anything but the locked jars."""
    found = digests(lib)
    if found == wanted:
        return
    wrong = sorted(name for name in found | wanted if found.get(name) != wanted.get(name))
    msg = (
        f"{len(wrong)} jars in {lib} are not those of {LOCK.name} ({', '.join(wrong[:5])}); "
        "delete the folder to fetch them again"
    )
    raise ServiceError(msg)


def write_lock() -> int:
    """Write the lock from what the pom resolves to now; return the number of jars."""
    folder = default_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / "lock"), fetched(folder) as fresh:
        found = digests(fresh)
    text = "".join(f"{digest}  {name}\n" for name, digest in found.items())
    LOCK.write_text(text, encoding="utf-8")
    return len(found)


@contextmanager
def fetched(beside: Path) -> Iterator[Path]:
    """Yield a new folder with what the pom resolves to, removed afterwards."""
    lacking = missing_tools()
    if lacking:
        raise ServiceError(lacking)
    say("kafka: fetching Apache Kafka from Maven Central (45 MB, the first time only)")
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=beside))
    goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={fresh}"]
    try:
        done = subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [shutil.which("mvn") or "mvn", "-B", "-q", "-f", POM, *goal],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            msg = f"Maven could not fetch the jars:\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
            raise ServiceError(msg)
        yield fresh
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def java(lib: Path, main_class: str, *arguments: str | Path, options: str = "") -> list[str]:
    """Return the command of one of Kafka's Java programs."""
    # One more thread for the compiler costs more than it gives on a machine with two cores.
    common = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Djava.awt.headless=true"
    logging = f"-Dlog4j2.configurationFile={LOGGING}"
    java_binary = shutil.which("java") or "java"
    settings = [*options.split(), *common.split(), logging, "-cp", f"{lib}/*"]
    return [java_binary, *settings, main_class, *map(str, arguments)]
