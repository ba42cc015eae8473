"""Events as NDJSON: one line, one message, ``{"type": <message name>, ...}``.

For reports of agencies without a connector (EMSC, AFAD, GFZ and others), and
for events about people. Only what an outside source may say is read; what the
stages say of themselves never comes in by file.
"""

from datetime import datetime

import msgspec

from schemas.codelists import Revision
from schemas.envelope import Event
from schemas.person import withheld
from streams.feeds.base import (
    PAYLOAD,
    Feed,
    ItemReject,
    Parsed,
    refuse,
    sniff,
    without_mark,
)
from streams.statement import KINDS, Whose, read


def parse(payload: bytes, received_at: datetime, kind: str | None = None) -> Parsed:
    """Return one event or refusal per line that is not blank; never raises.

    ``kind`` is the message of a line that does not say its ``type``.

    ``received_at`` is when the payload arrived: it fills the field where a
    line leaves it out, and nothing arrived later than that. Everything else
    that a message needs must stand in the line.
    """
    what_else = sniff(payload)
    if what_else is None and b"\0" in payload[:4]:
        what_else = "not UTF-8 but UTF-16; save the file as UTF-8"
    if what_else is not None:
        return [refuse(PAYLOAD, what_else, withheld(payload, ()))]
    return [
        _line(number, line, received_at, kind)
        for number, line in enumerate(without_mark(payload).split(b"\n"), start=1)
        if line.strip()
    ]


def _line(number: int, line: bytes, at: datetime, kind: str | None) -> Event | ItemReject:
    found = read(line, at, Whose.EARLIER, None if kind is None or _typed(line) else kind)
    return found if isinstance(found, Event) else refuse(f"line {number}", *found)


def _typed(line: bytes) -> bool:
    try:
        return "type" in msgspec.json.decode(line, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


FEED = Feed(
    name="ndjson",
    about="events as NDJSON: reports of any agency, advice, people, commands",
    url="",
    interval_s=60,
    licence="as its source",
    attribution="as each event's source",
    revision=Revision.CORRECTS,
    kinds=KINDS,
    parse=parse,
    enabled=False,
    count_floor=0.0,
)
