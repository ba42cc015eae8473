"""The processes of a running system: ``engine`` and ``poll``."""

import random
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from types import FrameType

import click
import httpx

from schemas.operations import FeedHealthChanged
from streams import metrics as m
from streams.cli.base import Session, iso, pass_session
from streams.cli.measured import PORT, metrics_option, page_if_asked
from streams.cli.remote import Api, running_engine
from streams.engine import Wake, Wanted, listening
from streams.engine import engine as open_engine
from streams.errors import BadInputError, EngineAwayError
from streams.feeds import FEEDS, feed_named
from streams.feeds.base import Feed
from streams.feeds.base import Parsed as Found
from streams.feeds.poller import Poller
from streams.ingest.intake import Source
from streams.metrics import RoleMetrics
from streams.player import Scenario, load_scenario
from streams.printable import one_line
from streams.scraped import Pulse, answering
from streams.sections import FeedsSettings
from streams.serving.runtime import ConfiguredFeed

ASK_AGAIN_S = 2.0
"""Pause of the poller while the engine does not answer."""

LONGEST_LOOK_S = 60.0
"""The poller looks at least this often whether the machine's clock was set."""

SILENT_S = 1_800.0
"""A round through all feeds may take this long, where many answer slowly."""

MINUTES = click.FloatRange(min=0, min_open=True)


def scenario_folder(named: str) -> Path:
    """Return the folder of a scenario: of ours by its name, else a path."""
    ours = Path(str(files("streams") / "scenarios"))
    for folder in (ours / named, Path(named)):
        if (folder / "scenario.toml").is_file():
            return folder
    names = ", ".join(sorted(one.name for one in ours.iterdir() if one.is_dir()))
    what = f"there is no scenario {named}"
    raise BadInputError(what, hint=f"name one of {names}, or a folder with a scenario.toml")


def speed_of(scenario: Scenario, minutes: float) -> float:
    """Return how many seconds of a scenario that takes ``minutes`` pass in one."""
    return (scenario.end - scenario.start).total_seconds() / (minutes * 60)


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Call ``stop`` on SIGTERM and Ctrl-C, for as long as this lasts."""

    def told(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {one: signal.signal(one, told) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _leave() -> None:
    """Leave before anything runs: whatever was begun is as after a kill."""
    raise SystemExit(0)


@click.command()
@click.option("--demo", help="Play this scenario (a name, or a folder) instead of wall time.")
@click.option("--minutes", type=MINUTES, default=10.0, show_default=True,
              help="How long the whole scenario takes.")  # fmt: skip
@click.option("--api-port", type=PORT, help="Else the setting ports.api.")
@click.option("--metrics-port", type=PORT, help="Else the setting ports.metrics.")
@pass_session
def engine(
    session: Session,
    demo: str | None,
    minutes: float,
    api_port: int | None,
    metrics_port: int | None,
) -> None:
    """Run the engine alone: log, stages, store, HTTP API and metrics.

    `rollcall up` runs it with everything else. Ctrl-C or SIGTERM ends it: the
    state is saved and the next start goes on at once.

    For example:
      rollcall --data /srv/rollcall engine
      rollcall --data /tmp/r1 engine --demo turkiye-2023 --minutes 10
    """
    ports = session.settings.ports
    scenario = None if demo is None else load_scenario(scenario_folder(demo))
    with stopping(_leave):
        sockets = listening(
            ports.api if api_port is None else api_port,
            ports.metrics if metrics_port is None else metrics_port,
        )
        feeds = polled_feeds(session.settings.feeds)
        wanted = Wanted(
            session.data,
            session.settings,
            *sockets,
            feeds=tuple(ConfiguredFeed(name=f.name, interval_s=f.interval_s) for f in feeds),
            scenario=scenario,
            speed=1.0 if scenario is None else speed_of(scenario, minutes),
        )
        with open_engine(wanted, _say) as working, stopping(working.stop):
            _say(f"the clock stands at {iso(working.last_tick_at())}")
            working.run()
            _say("saving the state")
    _say("stopped")


@click.command()
@click.option("--api", help="The engine's address; else as engine.json says, then ports.api.")
@metrics_option
@pass_session
def poll(session: Session, api: str | None, metrics_port: int | None) -> None:
    """Poll the feeds and give the engine what they say, until told to stop.

    While the engine does not answer nothing is remembered, so the same is
    asked again. Which feeds, and an offline mirror: the settings feeds.*.

    For example:
      rollcall --data /srv/rollcall poll
      ROLLCALL_FEEDS_MIRROR=http://127.0.0.1:9000 rollcall poll
    """
    feeds = polled_feeds(session.settings.feeds)
    stopped = Wake()
    metrics = RoleMetrics(m.POLL)
    pulse = Pulse("has not polled yet", SILENT_S)
    metrics.begin(m.POLL_ANSWERS, [feed.name for feed in feeds], m.ANSWERS)
    page = page_if_asked(session, metrics_port, _say)
    with (
        answering(page, "poll", metrics, pulse.why_not, say=_say),
        stopping(stopped.set),
        httpx.Client(follow_redirects=True) as client,
    ):
        _say(f"polling {', '.join(feed.name for feed in feeds) or 'no feed: none is enabled'}")
        speaker = Speaker(session, api)
        poller = Poller(
            feeds,
            client,
            speaker.append,
            clock=lambda: datetime.now(UTC),
            jitter=random.random,  # a pause needs no secret
            contact=session.settings.feeds.contact,
            noted=lambda feed, state: metrics.count(m.POLL_ANSWERS, 1, feed.name, state),
        )
        while not stopped.taken():
            stopped.wait(_polled(poller, pulse))
    _say("stopped")


def _polled(poller: Poller, pulse: Pulse) -> float:
    """Poll what is due; return the seconds until there is something to do."""
    try:
        next_at = poller.poll_due()
        pulse.beat()
    except EngineAwayError as error:
        pulse.hindered(str(error))
        _say(f"{error}; asking again in {ASK_AGAIN_S:.0f} s")
        return ASK_AGAIN_S
    if next_at is None:
        return LONGEST_LOOK_S
    return min(max((next_at - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_LOOK_S)


class Speaker:
    """Gives an engine what polls have found; looks anew where it is each time."""

    def __init__(self, session: Session, named: str | None) -> None:
        """Speak to the engine at ``named``, else to that of the data directory."""
        self._session, self._named = session, named

    def append(self, feed: Feed, found: Found, health: FeedHealthChanged | None) -> None:
        """Return once the engine's log has it, or raise."""
        api = Api(self._url())
        try:
            report = api.found(Source(feed.name, feed.name, lambda *_: ()), found, health)
        finally:
            api.close()
        if health is not None:
            _say(f"{feed.name}: {health.state}: {health.reason}")
        if report.rejections:
            _say(f"{feed.name}: {len(report.rejections)} items refused, see the dead letters")

    def _url(self) -> str:
        if self._named is not None:
            return self._named
        running = running_engine(self._session.data)
        port = self._session.settings.ports.api
        return f"http://127.0.0.1:{port}" if running is None else running.api


def polled_feeds(settings: FeedsSettings) -> Sequence[Feed]:
    """Return the feeds to poll, at their mirror where there is one."""
    if settings.enabled is None:
        chosen = [feed for feed in FEEDS if feed.enabled]
    else:
        chosen = [_named(name) for name in dict.fromkeys(settings.enabled)]
    mirror = settings.mirror.rstrip("/")
    if not mirror:
        return chosen
    return [feed._replace(url=f"{mirror}/{feed.name}") for feed in chosen if feed.url]


def _named(name: str) -> Feed:
    try:
        feed = feed_named(name)
    except KeyError as error:
        what = f"feeds.enabled: {error.args[0]}"
        raise BadInputError(what, hint="see docs/api/settings.md") from error
    if not feed.url:
        what = f"feeds.enabled: {name} only reads files, it cannot be polled"
        raise BadInputError(what, hint="bring its files in with `rollcall ingest`")
    return feed


def _say(line: str) -> None:
    """Print a line at once: whoever reads this process waits for it."""
    click.echo(one_line(line))
