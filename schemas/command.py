"""Officers' acts: who, in which role, why, and what."""

from schemas.codelists import Bucket, Hazard, Role, Verb
from schemas.envelope import At, Event, check_id
from schemas.person import check_person_id
from schemas.place import Area

NEEDS: dict[Verb, tuple[str, ...]] = {
    Verb.DECLARE: ("title",),
    Verb.CLOSE: ("situation_id",),
    Verb.OVERRIDE: ("person_id", "situation_id", "bucket"),
    Verb.POLYGON: ("incident_id", "areas"),
    Verb.ACKNOWLEDGE: ("alert_id",),
    Verb.SILENCE: ("until",),
    Verb.LINK: ("person_id", "other_id"),
    Verb.UNLINK: ("link_id",),
}
"""What each verb cannot do without."""


class CommandIssued(Event, frozen=True, kw_only=True):
    """One act of an officer. ``by`` is the user id; ``reason`` is required.

    DECLARE opens a situation: ``areas`` (an own zone), ``incident_ids`` (to
    group) or neither. OVERRIDE puts a person in a bucket; ``deceased`` needs
    the restricted role and a second person in ``confirmed_by``. POLYGON
    replaces an incident's footprint from its onset on. LINK joins two
    records of one person. SILENCE mutes the alerts of a ``rule``, of a
    situation, or both, until an end.
    """

    verb: Verb
    by: str
    role: Role
    reason: str
    title: str | None = None
    hazard: Hazard = Hazard.OTHER
    person_id: str | None = None
    other_id: str | None = None
    link_id: str | None = None
    situation_id: str | None = None
    incident_id: str | None = None
    incident_ids: tuple[str, ...] = ()
    alert_id: str | None = None
    bucket: Bucket | None = None
    areas: tuple[Area, ...] = ()
    confirmed_by: str | None = None
    rule: str | None = None
    until: At | None = None

    def __post_init__(self) -> None:
        """Refuse a command that lacks what its verb needs."""
        super().__post_init__()
        check_id(self.by, "by")
        if not self.reason.strip():
            msg = "reason is empty; say why, it stands in the journal"
            raise ValueError(msg)
        missing = [field for field in NEEDS[self.verb] if not getattr(self, field)]
        if missing:
            msg = f"{self.verb} needs {', '.join(missing)}"
            raise ValueError(msg)
        for field in ("person_id", "other_id"):
            value = getattr(self, field)
            if value is not None:
                check_person_id(value)
        if self.other_id is not None and self.other_id == self.person_id:
            msg = "a person cannot be linked with themself"
            raise ValueError(msg)
        if self.verb is Verb.SILENCE and not (self.rule or self.situation_id):
            msg = "silence needs a rule, a situation_id, or both; nobody silences everything"
            raise ValueError(msg)
        if self.verb is Verb.SILENCE and self.rule == "help_requested":
            msg = "a call for help cannot be silenced; acknowledge it"
            raise ValueError(msg)
        if self.bucket in {Bucket.NO_LONGER_AFFECTED, Bucket.DUPLICATE}:
            msg = f"bucket {self.bucket} is derived; it cannot be set by hand"
            raise ValueError(msg)
        if self.bucket is Bucket.DECEASED:
            if self.role is not Role.RESTRICTED:
                msg = "deceased needs the restricted role"
                raise ValueError(msg)
            if not self.confirmed_by or self.confirmed_by == self.by:
                msg = "deceased needs confirmed_by, a second person"
                raise ValueError(msg)
