"""Bytes to events and back; the only place that decodes.

JSON on the wire; the message's type and version travel beside it, in headers.
"""

from typing import Any

import msgspec

from schemas import alert, command, exposure, incident, operations, person, report, zone
from schemas.envelope import Event

MESSAGES: tuple[type[Event], ...] = (
    person.RegistrationFiled,
    person.CheckedIn,
    person.ContactRecorded,
    person.LinkChanged,
    person.FactsShared,
    report.IncidentReported,
    report.AdvisoryIssued,
    command.CommandIssued,
    zone.ZoneChanged,
    incident.IncidentChanged,
    incident.AdvisoryChanged,
    incident.SituationChanged,
    exposure.ExposureOpened,
    exposure.ExposureChanged,
    exposure.ExposureClosed,
    exposure.AccountabilityChanged,
    exposure.HelpRequested,
    exposure.TallyChanged,
    exposure.Reached,
    alert.AlertRaised,
    alert.AlertAcknowledged,
    alert.SilenceChanged,
    alert.NotifyRequested,
    alert.SituationSummed,
    alert.Totals,
    operations.Tick,
    operations.EngineChanged,
    operations.MessageRejected,
    operations.FeedHealthChanged,
    operations.FaultRaised,
)
"""Every message that may stand in a topic."""

BY_NAME: dict[str, type[Event]] = {cls.__name__: cls for cls in MESSAGES}
VERSION = 1

_encoder = msgspec.json.Encoder(order="deterministic")
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    name: msgspec.json.Decoder(cls) for name, cls in BY_NAME.items()
}


class UndecodableError(ValueError):
    """The bytes are not the message they claim to be; says why."""


def encode(event: Event) -> bytes:
    """Return the canonical JSON of an event (sorted keys, no spaces)."""
    return _encoder.encode(event)


def decode(name: str, body: bytes, version: int = VERSION) -> Event:
    """Return the event in ``body``; ``UndecodableError`` if it is not one."""
    decoder = _decoders.get(name)
    if decoder is None:
        msg = f"unknown message type {name!r}; known: {', '.join(sorted(BY_NAME))}"
        raise UndecodableError(msg)
    if version != VERSION:
        msg = f"{name} version {version} is unknown; this engine reads version {VERSION}"
        raise UndecodableError(msg)
    try:
        event: Event = decoder.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise UndecodableError(str(error)) from error
    return event
