"""What came in from outside, as rows: so that a cause can be followed.

Of the inputs of the stages only what somebody outside has said is kept; ticks,
tallies and the copies of zones and situations are passed over by their name.
"""

from datetime import datetime

import msgspec

from schemas.codec import VERSION
from streams.core.stage import DESK_INPUT, ROOM_INPUT, SHARD_INPUT
from streams.ports import Record
from streams.serving import journals as j
from streams.serving.rows import Row

ABOUT = {
    "RegistrationFiled": ("person_id",),
    "CheckedIn": ("person_id",),
    "ContactRecorded": ("person_id",),
    "LinkChanged": ("person_id", "root_id"),
    "IncidentReported": ("chain_id",),
    "AdvisoryIssued": ("advisory_id",),
    "HelpRequested": ("person_id", "situation_id"),
    "CommandIssued": (
        "person_id",
        "other_id",
        "alert_id",
        "situation_id",
        "incident_id",
        "link_id",
        "rule",
    ),
}
"""Name of a message that is kept: the fields that say what it is about.

A call for help is a shard's word to the room; it is kept because it is what
stands between a statement and its alert.
"""

INPUTS = (SHARD_INPUT, DESK_INPUT, ROOM_INPUT)
"""Topics in which such messages stand."""


class _Said(msgspec.Struct, kw_only=True):
    """The fields that become columns; all others stay in the body."""

    event_id: str
    source: str
    occurred_at: datetime
    received_at: datetime
    status: str = "Actual"
    person_id: str | None = None
    root_id: str | None = None
    other_id: str | None = None
    link_id: str | None = None
    alert_id: str | None = None
    situation_id: str | None = None
    incident_id: str | None = None
    chain_id: str | None = None
    advisory_id: str | None = None
    rule: str | None = None
    outcome: str | None = None
    state: str | None = None
    verb: str | None = None
    cause_ids: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(_Said)


def row_of_input(record: Record) -> Row | None:
    """Return the row of a record of an input topic; None for what is not kept.

    What cannot be read is not kept either: it stands among the dead letters,
    with its reason.
    """
    fields = ABOUT.get(record.name)
    if fields is None or record.version != VERSION:
        return None
    try:
        said = _decoder.decode(record.body)
    except msgspec.DecodeError:  # the stage that reads it makes a dead letter of it
        return None
    ids = [one for field in fields if (one := getattr(said, field)) is not None]
    key = (record.topic, record.partition, record.offset)
    values = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "event_id": said.event_id,
        "name": record.name,
        "about": ids[0] if ids else said.event_id,
        "also": ids[1] if len(ids) > 1 else None,
        "what": said.outcome or said.verb or said.state,
        "trigger_id": said.cause_ids[0] if said.cause_ids else None,
        "source": said.source,
        "status": said.status,
        "occurred_at": said.occurred_at,
        "received_at": said.received_at,
        "body": record.body.decode(),
    }
    return Row(j.inputs, key, values)
