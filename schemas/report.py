"""What sources state about incidents and advice, as they state it."""

import math

from schemas.codelists import (
    AdviceScope,
    Certainty,
    Hazard,
    MsgType,
    Revision,
    Severity,
    Urgency,
)
from schemas.envelope import MAX_TEXT_CHARS, At, Event, check_id
from schemas.place import Area, Position


class IncidentReported(Event, frozen=True, kw_only=True):
    """One source's statement about an incident, CAP-shaped.

    ``chain_id`` is the source's own identity of the happening over all its
    versions ("usgs:us6000jllz", "gdacs:EQ1536386"); ``same_as`` other
    identities the source itself gives for it. ``sent_at`` orders the versions
    of one chain, ``event_id`` breaks ties. ``references`` are event ids or
    CAP triples of earlier messages. ``observed_at`` is when the source says
    it made this statement, as ``sent_at``.

    Magnitude is moment-like; ``depth_m`` positive down, may be negative, None
    unknown. ``areas`` is what the source itself draws; empty means a model
    draws it, or that it is unknown. ``area_text`` names what could not be
    resolved. ``invented`` marks a scenario's made-up detail.
    """

    chain_id: str
    msg_type: MsgType
    hazard: Hazard
    title: str
    onset_at: At
    sent_at: At
    revision: Revision
    same_as: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    expires_at: At | None = None
    position: Position | None = None
    depth_m: float | None = None
    magnitude: float | None = None
    magnitude_type: str | None = None
    areas: tuple[Area, ...] = ()
    area_text: str | None = None
    severity: Severity = Severity.UNKNOWN
    urgency: Urgency = Urgency.UNKNOWN
    certainty: Certainty = Certainty.UNKNOWN
    native_level: str | None = None
    url: str | None = None
    invented: bool = False

    def __post_init__(self) -> None:
        """Refuse impossible numbers."""
        super().__post_init__()
        check_id(self.chain_id, "chain_id")
        if self.magnitude is not None and not (
            math.isfinite(self.magnitude) and -5.0 <= self.magnitude <= 10.5
        ):
            msg = f"magnitude {self.magnitude} is not between -5 and 10.5"
            raise ValueError(msg)
        if self.depth_m is not None and not (
            math.isfinite(self.depth_m) and -10_000.0 <= self.depth_m <= 800_000.0
        ):
            msg = f"depth_m {self.depth_m} is not between -10 km and 800 km"
            raise ValueError(msg)
        if len(self.title) > MAX_TEXT_CHARS:
            msg = f"title has {len(self.title)} characters; at most {MAX_TEXT_CHARS}"
            raise ValueError(msg)


class AdvisoryIssued(Event, frozen=True, kw_only=True):
    """Travel advice of one issuer for one area, as it now stands.

    ``advisory_id`` is "<issuer>:<area key>"; ``sent_at`` orders its versions.
    ``native_level`` is the issuer's own word; ``level`` our 1 to 4 ordinal,
    labelled as ours. ``areas`` is empty where the scope is a part that the
    issuer does not draw: then nobody is matched, and the part is shown in
    words.
    """

    advisory_id: str
    issuer: str
    title: str
    sent_at: At
    native_level: str
    level: int
    scope: AdviceScope
    areas: tuple[Area, ...] = ()
    valid_from: At | None = None
    valid_to: At | None = None
    url: str | None = None

    def __post_init__(self) -> None:
        """Refuse a level outside 1 to 4."""
        super().__post_init__()
        check_id(self.advisory_id, "advisory_id")
        if not 1 <= self.level <= 4:
            msg = f"level {self.level} is not 1 to 4"
            raise ValueError(msg)
