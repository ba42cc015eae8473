"""Travel warnings of the German Auswaertiges Amt, open-data list.

The content id is the JSON key, the record its value; beside the records stand
a ``contentList`` and a list-level ``lastModified`` that was stuck for years
while countries changed, so each record is judged by its own. A record has four
booleans; a retraction is a boolean that turns false, with a new
``lastModified``. ``effective`` is no version: it may be older by two years or
newer by hours.
"""

import re
from datetime import datetime

import msgspec

from schemas.codelists import AdviceScope, Revision
from schemas.place import Countries
from schemas.report import AdvisoryIssued
from streams.feeds.base import (
    PAYLOAD,
    Feed,
    Parsed,
    PayloadError,
    content_hash,
    read_items,
    read_json,
    refuse,
    utc_of_epoch,
)

LEVELS: tuple[tuple[str, int, AdviceScope], ...] = (
    ("warning", 4, AdviceScope.WHOLE),
    ("partialWarning", 3, AdviceScope.PART),
    ("situationWarning", 2, AdviceScope.WHOLE),
    ("situationPartWarning", 2, AdviceScope.PART),
)
"""Native booleans, gravest first, with our 1 to 4 ordinal and their scope."""

_CODE = re.compile(r"[A-Z]{2}")


class _Record(msgspec.Struct):
    last_modified: int = msgspec.field(name="lastModified")
    warning: bool
    partial: bool = msgspec.field(name="partialWarning")
    situation: bool = msgspec.field(name="situationWarning")
    situation_part: bool = msgspec.field(name="situationPartWarning")
    country_code: str = msgspec.field(name="countryCode")
    effective: int | None = None
    title: str | None = None
    country_name: str | None = msgspec.field(default=None, name="countryName")


class _Identity(msgspec.Struct):
    country_code: str = msgspec.field(name="countryCode")


class _Answer(msgspec.Struct):
    response: dict[str, msgspec.Raw]


def parse(payload: bytes, received_at: datetime) -> Parsed:
    """Return one advisory per country record; never raises."""
    try:
        response = read_json(payload, _Answer).response
    except PayloadError as error:
        return [refuse(PAYLOAD, error, payload)]
    records = [(f"record {key}", bytes(raw)) for key, raw in response.items()]
    records = [(place, raw) for place, raw in records if raw.lstrip().startswith(b"{")]
    if not records:
        return [refuse(PAYLOAD, "the response holds no country record", payload)]
    parsed = read_items(
        records,
        lambda raw: f"de_aa:{read_json(raw, _Identity).country_code}",
        lambda raw: _advisory(read_json(raw, _Record), received_at),
    )
    return _one_per_country(parsed, records)


def _advisory(record: _Record, received_at: datetime) -> AdvisoryIssued:
    code = record.country_code.strip().upper()
    if not _CODE.fullmatch(code):
        msg = f"countryCode {record.country_code!r} is not a two-letter code"
        raise ValueError(msg)
    said = (record.warning, record.partial, record.situation, record.situation_part)
    in_force = [level for level, true in zip(LEVELS, said, strict=True) if true]
    _, level, scope = in_force[0] if in_force else ("none", 1, AdviceScope.WHOLE)
    sent_at = utc_of_epoch(record.last_modified)
    advisory = AdvisoryIssued(
        event_id=f"de_aa:{code}",
        source="de_aa",
        occurred_at=sent_at,
        observed_at=sent_at,
        received_at=received_at,
        advisory_id=f"de_aa:{code}",
        issuer="de_aa",
        title=record.title or record.country_name or code,
        sent_at=sent_at,
        native_level=", ".join(name for name, _, _ in in_force) or "none",
        level=level,
        scope=scope,
        areas=(Countries(codes=(code,)),) if scope is AdviceScope.WHOLE else (),
    )
    # ``effective`` stands before the hash: of two contents of one ``lastModified`` the one
    # that takes effect later is the later.
    version = f"{record.last_modified}:{record.effective or 0}:{content_hash(advisory)}"
    return msgspec.structs.replace(advisory, event_id=f"de_aa:{code}:{version}")


def _one_per_country(parsed: Parsed, records: list[tuple[str, bytes]]) -> Parsed:
    """Refuse, of two records for one country, the milder: it would hide the graver."""
    gravest: dict[str, AdvisoryIssued] = {}
    for item in parsed:
        if isinstance(item, AdvisoryIssued):
            other = gravest.get(item.advisory_id, item)
            gravest[item.advisory_id] = max(item, other, key=lambda a: (a.level, a.event_id))
    return [
        refuse(place, f"another record of {item.advisory_id} is graver", raw)
        if isinstance(item, AdvisoryIssued) and item != gravest[item.advisory_id]
        else item
        for item, (place, raw) in zip(parsed, records, strict=True)
    ]


FEED = Feed(
    name="de_aa",
    about="German travel warnings (Auswaertiges Amt), all countries",
    url="https://www.auswaertiges-amt.de/opendata/travelwarning",
    interval_s=900,
    licence="open data with attribution",
    attribution="Auswaertiges Amt, Berlin",
    revision=Revision.EVOLVES,
    kinds=("AdvisoryIssued",),
    parse=parse,
    enabled=True,
)
