"""Prometheus, run without the package's own service."""

import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from infra import processes
from infra.processes import Process, ServiceError

FOLDER = Path(__file__).parent
CONFIG = FOLDER / "prometheus.yml"
RULES = FOLDER / "rules.yml"
RULES_TEST = FOLDER / "rules_test.yml"
START_PATIENCE_S = 30.0
STOP_PATIENCE_S = 10.0
JOB = re.compile(r"(job_name: (\S+)\n\s+static_configs: \[\{targets: )\[[^]]*\]")


def missing() -> str | None:
    """Return in words what this machine lacks, None when nothing."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        return "Prometheus is not installed; on Debian and Ubuntu: apt-get install prometheus"
    return None


def promtool(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run promtool; what it says is on the result."""
    return subprocess.run(  # noqa: S603 - our own files, no shell
        ["promtool", *map(str, words)],  # noqa: S607 - as the package has put it on the PATH
        capture_output=True,
        text=True,
        check=False,
    )


def configured(targets: Mapping[str, Sequence[str]], interval: str) -> str:
    """Return our configuration with other addresses: of each job those given."""

    def with_targets(found: re.Match[str]) -> str:
        return found[1] + "[" + ", ".join(f'"{one}"' for one in targets[found[2]]) + "]"

    text = JOB.sub(with_targets, CONFIG.read_text(encoding="utf-8"))
    return re.sub(r"_interval: \w+", f"_interval: {interval}", text)


class Prometheus:
    """One server that scrapes what our configuration says, at other addresses."""

    def __init__(
        self, folder: Path, targets: Mapping[str, Sequence[str]], interval: str = "1s"
    ) -> None:
        self.folder = folder
        self.port = processes.free_ports(1)[0]
        self.process = Process(folder / "pid", folder / "server.log")
        folder.mkdir(parents=True)
        shutil.copy(RULES, folder)
        config = configured(targets, interval)
        (folder / "prometheus.yml").write_text(config, encoding="utf-8")

    def __enter__(self) -> Self:
        """Start the server, and wait until it answers."""
        lacking = missing()
        if lacking:
            raise ServiceError(lacking)
        command = [
            "prometheus",
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--log.level=warn",
        ]
        self.process.start(command)
        try:
            self.process.wait_for(self._ready, START_PATIENCE_S, "Prometheus")
        except BaseException:
            self.process.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.process.stop(signal.SIGTERM, STOP_PATIENCE_S)

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of its API; raise in its words where there are none."""
        import httpx  # noqa: PLC0415 - checking rules works without the client

        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        said = httpx.get(url, params=parameters, timeout=10, trust_env=False).json()
        if said["status"] != "success":
            raise ServiceError(said["error"])
        return said["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return the samples of an expression now."""
        found: list[dict[str, Any]] = self.ask("query", query=expression)["result"]
        return found

    def _ready(self) -> bool:
        import httpx  # noqa: PLC0415 - as above

        try:
            url = f"http://127.0.0.1:{self.port}/-/ready"
            return httpx.get(url, timeout=2, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False
