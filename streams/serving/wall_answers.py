"""What the wall shows: one snapshot, aggregates only, JSON as it is.

Numbers of whole situations are exact; in breakdowns fewer than 5 people are
never shown as a figure, nor what would give one away (``Cell``). None means
that nobody has said it yet: unknown, never 0. Times are of the log's clock,
a scenario's in a replay, but for those that end in ``_wall_at``.
"""

from datetime import datetime
from typing import Literal

from streams.serving.answers import Answer, Completeness, Imbalance


class Cell(Answer, frozen=True, kw_only=True):
    """A figure of a breakdown, or why it is withheld.

    ``few``: 0 to 4, shown as "<5". ``hidden``: any number, withheld because
    another one could be computed from it. ``count`` is None for both.
    """

    count: int | None = None
    mark: Literal["exact", "few", "hidden"] = "exact"


class WallClock(Answer, frozen=True, kw_only=True):
    """Which time this is, and what stage it is at.

    ``mode`` replay: a scenario is being played, ``title`` names it, ``start_at``
    and ``end_at`` are its own, ``speed`` is its seconds in one of ours.
    ``phase``: loading (the register is being read, ``done`` of ``of`` people),
    running, ended (the scenario is over, its clock walks on). ``beat_wall_at``
    is when the engine last said so, on the machine's clock.
    """

    mode: Literal["live", "replay"]
    phase: Literal["loading", "running", "ended"]
    title: str | None = None
    status: str = "Actual"
    start_at: datetime | None = None
    end_at: datetime | None = None
    speed: float | None = None
    done: int | None = None
    of: int | None = None
    beat_wall_at: datetime | None = None


class Change(Answer, frozen=True, kw_only=True):
    """How a number has moved; None where the history does not reach back."""

    minutes_15: int | None = None
    hour: int | None = None


class TrendPoint(Answer, frozen=True, kw_only=True):
    """A situation's numbers as of one instant."""

    at: datetime
    unaccounted: int
    needs_help: int
    safe: int
    other: int


class WallArea(Answer, frozen=True, kw_only=True):
    """One area of a situation: where it is drawn, and its people by bucket.

    ``code`` is ISO 3166-2, or ISO 3166-1 alpha-2 for people of whom only the
    country is known, "" for those of nowhere. ``lon_deg``, ``lat_deg`` belong
    to the area, not to the people in it; None where it cannot be drawn.
    """

    code: str
    name: str
    country: str
    lon_deg: float | None
    lat_deg: float | None
    known: Cell
    unaccounted: Cell
    needs_help: Cell
    safe: Cell
    other: Cell


class WallIncident(Answer, frozen=True, kw_only=True):
    """One incident as a line and a mark on the map."""

    incident_id: str
    title: str
    hazard: str
    life: str
    version: int
    onset_at: datetime
    magnitude: float | None
    depth_m: float | None
    depth_assumed: bool
    lon_deg: float | None
    lat_deg: float | None
    headline_source: str
    members: int
    area_known: bool


class WallBand(Answer, frozen=True, kw_only=True):
    """One band of a footprint in force: what it is called, how bad.

    The geometry is that of ``/api/live/wall/zones/<situation_id>?v=<zones_key>``
    (GeoJSON), whose features carry ``zone_id``, ``version``, ``band``, ``rank``
    and ``possible_only``.
    """

    zone_id: str
    version: int
    band: str
    rank: int
    possible_only: bool
    estimated: bool
    model: str


class WallSituation(Answer, frozen=True, kw_only=True):
    """One situation: unaccounted + needs_help + safe + other = known.

    ``at_least``: not all shards stand behind it, or something was not
    processed. ``other_parts`` are the buckets of other, 0 included.
    ``zones_key`` changes with every change of a zone in force.
    """

    situation_id: str
    status: str
    title: str
    hazard: str
    onset_at: datetime
    closed: bool
    live: bool
    known: int | None
    unaccounted: int | None
    needs_help: int | None
    safe: int | None
    other: int | None
    other_parts: dict[str, int] | None
    duplicates: int | None
    inbound: int | None
    withdrawn: int | None
    tiers: dict[str, int] | None
    completeness: Completeness | None
    at_least: bool
    imbalance: Imbalance | None
    changes: dict[str, Change]
    trend: tuple[TrendPoint, ...]
    areas: tuple[WallArea, ...]
    incidents: tuple[WallIncident, ...]
    bands: tuple[WallBand, ...]
    zones_key: str


class WallAlert(Answer, frozen=True, kw_only=True):
    """An alert nobody has acknowledged; of a person only that it is one."""

    alert_id: str
    status: str
    rule: str
    severity: str
    title: str | None
    situation_id: str | None
    raised_at: datetime
    late_s: int


class WallAlerts(Answer, frozen=True, kw_only=True):
    """Alerts in figures, and the oldest open ones."""

    open: int
    acknowledged: int
    silenced: int
    oldest_at: datetime | None
    items: tuple[WallAlert, ...]


class WallFeed(Answer, frozen=True, kw_only=True):
    """A feed's health as of the log's clock; ages are counted on the screen."""

    feed: str
    state: str
    reason: str
    last_success_at: datetime | None
    since: datetime | None
    expected_interval_s: int | None
    items: int | None
    usual_items: int | None


class WallInput(Answer, frozen=True, kw_only=True):
    """What people file, and when the last of it came in; None: never yet."""

    kind: Literal["registrations", "check_ins", "contacts"]
    last_at: datetime | None


class WallContacts(Answer, frozen=True, kw_only=True):
    """The call centre's hour: contacts tried, how many reached somebody."""

    hour: int
    reached: int


class WallChange(Answer, frozen=True, kw_only=True):
    """Something changed that everybody in the room should know.

    ``kind``: advice, incident or situation. ``change``: opened, raised,
    lowered, scope, ended; revised, cancelled; closed. ``before`` and ``after``
    are levels of advice (ours, 1 to 4) or magnitudes.
    """

    at: datetime
    status: str
    kind: str
    change: str
    title: str
    before: float | None
    after: float | None
    scope: str | None


class WallPipeline(Answer, frozen=True, kw_only=True):
    """How Rollcall itself is doing. ``lag`` counts records not in the numbers yet.

    ``faults`` are the kinds of faults that are open, each once.
    """

    lag: int | None
    dead_letters: int
    skipped: int | None
    faults: tuple[str, ...]


class WallNow(Answer, frozen=True, kw_only=True):
    """The wall. ``affected`` are distinct people known in live situations.

    ``as_of`` is the last tick that was summed. ``situations`` are those with
    somebody of ours, or about which that is not certain: open before closed,
    newest onset first; ``quiet`` counts the others. ``feeds`` None: it is not
    known which there are.
    """

    as_of: datetime | None
    clock: WallClock
    completeness: Completeness | None
    affected: int | None
    people: int | None
    situations: tuple[WallSituation, ...]
    quiet: int
    unplaced: tuple[WallIncident, ...]
    alerts: WallAlerts
    changes: tuple[WallChange, ...]
    feeds: tuple[WallFeed, ...] | None
    inputs: tuple[WallInput, ...]
    contacts: WallContacts
    pipeline: WallPipeline
