"""``rollcall up``: the whole system on this machine, one process for each part."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from streams.backends.sqlite import SqliteLog
from streams.backends.sqlite_file import LOG_FILE, Lock
from streams.cli.base import Session, pass_session
from streams.cli.measured import PORT
from streams.cli.running import MINUTES, scenario_folder
from streams.cli.tree import Part, Tree
from streams.engine import ENGINE_FILE
from streams.errors import BadInputError, LogInUseError
from streams.loopback import HOST, bound
from streams.player import Scenario, load_scenario

UP_LOCK = "up.lock"
DEMO_FILE = "demo.json"
"""Marks a data directory that a demo has made: only such a one is made anew."""


class DemoFile(msgspec.Struct, frozen=True, kw_only=True):
    """What the mark says."""

    scenario: str
    about: str = "made by `rollcall up --demo`, which deletes what is in here to begin anew"


class Ports(NamedTuple):
    """Where the parts listen; all of them were free a moment ago."""

    api: int
    metrics: int
    dashboard: int


@click.command()
@click.option("--demo", help="Play this scenario (a name, or a folder) instead of wall time.")
@click.option("--minutes", type=MINUTES, default=10.0, show_default=True,
              help="How long the whole scenario takes.")  # fmt: skip
@click.option("--at-end", type=click.Choice(["stop", "repeat"]), default="stop",
              show_default=True,
              help="After a demo: the clock walks on, or all begins anew.")  # fmt: skip
@click.option("--fresh", is_flag=True, help="Begin a demo anew, where a demo has been.")
@click.option("--headless", is_flag=True, help="Without the dashboard.")
@click.option("--port", type=PORT, help="The dashboard's; else the setting ports.dashboard.")
@click.option("--api-port", type=PORT, help="Else the setting ports.api.")
@click.option("--metrics-port", type=PORT, help="Else the setting ports.metrics.")
@pass_session
@click.pass_context
def up(  # noqa: PLR0917 - click gives them by name
    ctx: click.Context,
    session: Session,
    demo: str | None,
    minutes: float,
    at_end: str,
    fresh: bool,
    headless: bool,
    port: int | None,
    api_port: int | None,
    metrics_port: int | None,
) -> None:
    """Run the whole system until Ctrl-C: engine, feeds, dispatcher, dashboard.

    A part that dies is started again. Everything listens on 127.0.0.1 alone.
    A demo goes on where it was stopped; one that is over begins anew.

    For example:
      rollcall --data /srv/rollcall up
      rollcall --data /tmp/demo up --demo turkiye-2023 --minutes 10
    """
    data, settings = session.data, session.settings
    scenario = None if demo is None else load_scenario(scenario_folder(demo))
    if scenario is None and (fresh or at_end == "repeat"):
        what = "--fresh and --at-end repeat are for demos: no other data is ever deleted"
        raise BadInputError(what, hint="name a scenario with --demo")
    wanted = settings.ports
    with _only_one(data):
        ports = _free(
            Ports(
                wanted.api if api_port is None else api_port,
                wanted.metrics if metrics_port is None else metrics_port,
                wanted.dashboard if port is None else port,
            ),
            headless=headless,
        )
        if scenario is not None:
            _prepare(data, scenario, fresh=fresh)
        parts = _parts(ctx, session, ports, demo, minutes, headless=headless)
        tree = Tree(parts, f"http://{HOST}:{ports.api}", click.echo)
        again = None
        if at_end == "repeat" and scenario is not None:
            made_for = scenario
            again = lambda: _prepare(data, made_for, fresh=True)  # noqa: E731 - bound to this call
        code = tree.run(again)
    if code:
        ctx.exit(code)


def _parts(
    ctx: click.Context,
    session: Session,
    ports: Ports,
    demo: str | None,
    minutes: float,
    *,
    headless: bool,
) -> list[Part]:
    """Return the parts in the order in which they start."""
    ours = [sys.executable, "-m", "streams.cli", "--data", str(session.data)]
    if session.named_settings is not None:
        ours += ["--settings", str(session.named_settings)]
    replay = (
        [] if demo is None else ["--demo", str(scenario_folder(demo)), "--minutes", str(minutes)]
    )
    api = f"http://{HOST}:{ports.api}"
    listens = ["--api-port", str(ports.api), "--metrics-port", str(ports.metrics)]
    metrics = f"http://{HOST}:{ports.metrics}/metrics"
    parts = [Part("engine", [*ours, "engine", *listens, *replay], {"API": api, "metrics": metrics})]
    if demo is None:
        parts.append(Part("poll", [*ours, "poll", "--api", api]))
    root = ctx.find_root()
    if isinstance(root.command, click.Group) and root.command.get_command(root, "dispatch"):
        parts.append(Part("dispatch", [*ours, "dispatch"]))
    if not headless and find_spec("dashboard.__main__") is not None:
        wall = f"http://{HOST}:{ports.dashboard}"
        line = [sys.executable, "-m", "dashboard", "--data", str(session.data)]
        line += ["--port", str(ports.dashboard), "--api", api]
        parts.append(Part("dashboard", line, {"dashboard": f"{wall}/"}, at_once=True))
    return parts


@contextmanager
def _only_one(data: Path) -> Iterator[None]:
    """Hold the right to run this data directory; refuse if somebody does already."""
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(data / UP_LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            owner = os.read(file, 20).decode("ascii", "replace").strip() or "unknown"
            what = f"the system in {data} is up already, by process {owner}"
            hint = "stop that one first, or name another data directory with --data"
            raise LogInUseError(what, hint=hint) from error
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        Lock(data).release()
        yield
    finally:
        os.close(file)


def _free(ports: Ports, *, headless: bool) -> Ports:
    """Return ports that nobody listens on; ``PortInUseError`` says which is taken."""
    names = (
        ("the HTTP API", "the metrics")
        if headless
        else ("the HTTP API", "the metrics", "the dashboard")
    )
    sockets = []
    try:
        for port, name in zip(ports, names, strict=False):
            sockets.append(bound(port, name))
        found = [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
    return Ports._make([*found, *ports[len(found) :]])


def _prepare(data: Path, scenario: Scenario, *, fresh: bool) -> None:
    """Mark a new directory as a demo's; begin anew in one whose demo is over."""
    mark = data / DEMO_FILE
    marked = mark.exists()
    if not (data / LOG_FILE).exists() and not marked:
        mark.write_bytes(msgspec.json.encode(DemoFile(scenario=scenario.name)))
        return
    if fresh and not marked:
        what = f"{data} was not made by a demo, so nothing in it is deleted"
        raise BadInputError(what, hint="name another data directory with --data")
    if marked and (fresh or _is_over(data, scenario)):
        click.echo("the demo begins anew")
        for path in (*data.glob("*.sqlite*"), data / ENGINE_FILE):
            path.unlink(missing_ok=True)
        mark.write_bytes(msgspec.json.encode(DemoFile(scenario=scenario.name)))


def _is_over(data: Path, scenario: Scenario) -> bool:
    if not (data / LOG_FILE).exists():
        return False
    log = SqliteLog.open_read_only(data)
    try:
        last = log.last_tick_at()
    finally:
        log.close()
    return last is not None and last >= scenario.end
