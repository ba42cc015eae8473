"""CAP: identity, endings, areas, languages, encodings, and XML that attacks."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from schemas.codelists import Certainty, Hazard, MsgType, Revision, Severity, Status, Urgency
from schemas.place import Circle, Polygons
from streams.feeds import cap
from streams.feeds.base import ItemReject

NOW = datetime(2026, 5, 2, tzinfo=UTC)
DATA = Path(__file__).parent / "data/cap"
ALERT = """<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
<identifier>{identifier}</identifier><sender>{sender}</sender><sent>{sent}</sent><status>{status}</status>
<msgType>{msg_type}</msgType><scope>{scope}</scope>{references}{info}</alert>"""
INFO = """<info><category>{category}</category><event>{event}</event><urgency>{urgency}</urgency>
<severity>Severe</severity><certainty>Likely</certainty>{more}<area><areaDesc>Town</areaDesc></area></info>"""


def parse(payload) -> list[Any]:
    return list(cap.parse(payload, NOW))


def at(hour, minute=0, second=0):
    return datetime(2026, 5, 1, hour, minute, second, tzinfo=UTC)


def read(name):
    return parse((DATA / name).read_bytes())


def one(*, info=None, event="storm", category="Met", urgency="Immediate", more="", **fields):
    said = {
        "identifier": "id", "sender": "s", "sent": "2026-05-01T12:00:00Z", "status": "Actual",
        "msg_type": "Alert", "scope": "Public", "references": "",
        "info": INFO.format(category=category, event=event, urgency=urgency, more=more)
        if info is None else info,
    }  # fmt: skip
    (item,) = parse(ALERT.format(**(said | fields)).encode())
    return item


# ------------------------------------------------------------------ one whole message


def test_identity_and_references_are_triples_in_utc_whatever_their_offset():
    (report,) = read("full_1_2.xml")
    assert report.event_id == "cap:weather@example.org,hand.3,2026-05-01T12:00:00Z"
    assert report.references == (
        "cap:weather@example.org,hand.1,2026-05-01T10:00:00Z",
        "cap:weather@example.org,hand.2,2026-05-01T11:30:00Z",
    )
    assert report.chain_id == report.references[0]
    assert report.source == "cap:weather@example.org"
    assert (report.msg_type, report.revision) == (MsgType.UPDATE, Revision.EVOLVES)


def test_the_english_block_speaks_and_code_lists_are_read_in_any_case():
    (report,) = read("full_1_2.xml")
    assert report.title == "Flood warning, level orange"
    assert report.hazard is Hazard.FLOOD
    assert (report.severity, report.urgency) == (Severity.SEVERE, Urgency.IMMEDIATE)
    assert report.certainty is Certainty.LIKELY
    assert report.native_level == "3; orange; Severe"
    assert report.url == "https://example.org/3"


def test_the_hazard_begins_with_onset_and_ends_with_event_ending_time():
    (report,) = read("full_1_2.xml")
    assert (report.sent_at, report.onset_at) == (at(12), at(12, 30))
    assert report.occurred_at == at(12)
    assert report.expires_at == datetime(2026, 5, 2, 6, tzinfo=UTC)


def test_areas_of_all_languages_are_taken_once_and_the_rest_is_named():
    (report,) = read("full_1_2.xml")
    polygon, circle = report.areas
    assert isinstance(polygon, Polygons)
    assert set(polygon.polygons[0][0]) == {(4.0, 50.0), (5.0, 50.0), (5.0, 51.0), (4.0, 51.0)}
    assert circle == Circle(lon_deg=4.5, lat_deg=49.5, radius_m=12_500.0)
    assert report.area_text == "Valley; Dot; Broken"
    assert (report.position.lon_deg, report.position.lat_deg) == (4.5, 49.5)


# ------------------------------------------------------------------ endings


def test_all_clear_keeps_the_update_and_ends_it_when_it_was_sent():
    report = one(
        msg_type="Update",
        more="<responseType>AllClear</responseType><expires>2026-05-03T00:00:00Z</expires>",
    )
    assert (report.msg_type, report.expires_at) == (MsgType.UPDATE, at(12))


def test_urgency_past_ends_a_storm_but_not_an_earthquake_which_is_always_past():
    assert one(msg_type="Update", urgency="Past").expires_at == at(12)
    assert one(msg_type="Update", urgency="Past", event="Earthquake").expires_at is None
    assert one(msg_type="Alert", urgency="Past").expires_at is None


def test_a_message_that_ends_one_area_and_keeps_another_stays_for_the_other():
    (report,) = read("mixed_all_clear.xml")
    assert report.title == "still on in the east"
    assert report.areas == (Circle(lon_deg=6.0, lat_deg=50.0, radius_m=10_000.0),)
    assert report.expires_at == at(16)


def test_a_partial_cancel_keeps_its_own_area_and_its_extreme_severity():
    (report,) = read("partial_cancel.xml")
    assert (report.msg_type, report.severity) == (MsgType.CANCEL, Severity.EXTREME)
    assert report.chain_id == "cap:nws,watch.1,2026-05-01T10:00:00Z"
    assert len(report.references) == 2
    assert report.areas[0].polygons[0][0][0] in {(-98.0, 35.0), (-97.5, 35.0)}


def test_a_cancel_needs_no_info_and_an_alert_does():
    cancel = one(
        msg_type="Cancel", info="", references="<references>s,a,2026-05-01T10:00:00Z</references>"
    )
    assert (cancel.msg_type, cancel.areas, cancel.area_text) == (MsgType.CANCEL, (), None)
    assert cancel.title == "Cancel id"
    assert one(info="").reason == "an Alert without an info block says nothing"


def test_an_unreadable_expiry_is_no_expiry():
    assert one(more="<expires>2026-05-01T18:00:00</expires>").expires_at is None
    assert one(more="<expires>tomorrow</expires>").expires_at is None


# ------------------------------------------------------------------ status, scope, hazard


@pytest.mark.parametrize(
    ("said", "status"),
    [("Actual", Status.ACTUAL), ("Exercise", Status.EXERCISE), ("test", Status.TEST)],
)
def test_status_is_kept(said, status):
    assert one(status=said).status is status


def test_a_required_weekly_test_sent_as_actual_is_a_test():
    code = "<eventCode><valueName>SAME</valueName><value>RWT</value></eventCode>"
    assert one(more=code).status is Status.TEST
    assert one(more=code, status="Exercise").status is Status.EXERCISE
    assert one(more=code.replace("RWT", "TOR")).status is Status.ACTUAL


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "System"}, "status System: nobody may act on it"),
        ({"status": "Draft"}, "status Draft: nobody may act on it"),
        ({"status": ""}, "status is missing"),
        ({"scope": "Restricted"}, "scope Restricted: only public messages are used"),
        ({"msg_type": "Ack"}, "msgType Ack is no statement about an incident"),
        ({"sender": ""}, "sender is missing"),
        ({"sent": "2026-05-01T12:00:00"}, "sent '2026-05-01T12:00:00' has no time zone"),
        ({"sent": "0001-01-01T00:00:00+10:00"}, "sent is in the year 1; expected 1900 to 2200"),
        ({"sent": "9999-12-31T23:00:00-10:00"}, "sent is in the year 9999; expected 1900 to 2200"),
    ],
)
def test_what_nobody_may_act_on_is_refused_with_its_reason(fields, reason):
    refused = one(**fields)
    assert isinstance(refused, ItemReject)
    assert (refused.item, refused.reason) == ("id", reason)
    assert refused.body.startswith("<alert")


@pytest.mark.parametrize(
    ("event", "category", "hazard"),
    [
        ("Wind Advisory", "Met", Hazard.WEATHER),
        ("Tsunami Warning", "Geo", Hazard.TSUNAMI),
        ("Erdbeben", "Geo", Hazard.EARTHQUAKE),
        ("Alerte volcanique", "Geo", Hazard.VOLCANO),
        ("Aviso de Ciclón Tropical", "Met", Hazard.CYCLONE),
        ("forest-fire", "Fire", Hazard.WILDFIRE),
        ("Fire", "Fire", Hazard.OTHER),
        ("Drinking Water", "Health", Hazard.HEALTH),
        ("Missile alert", "Security", Hazard.CONFLICT),
        ("Child Abduction", "Rescue", Hazard.OTHER),
    ],
)
def test_the_hazard_comes_from_the_words_then_from_the_category(event, category, hazard):
    assert one(event=event, category=category).hazard is hazard


# ------------------------------------------------------------------ identity at its edges


def test_an_identity_too_long_for_an_id_is_cut_and_stays_unique():
    long = [one(identifier="x" * 300 + tail).event_id for tail in "ab"]
    assert all(len(event_id) <= 200 for event_id in long)
    assert long[0] != long[1]


def test_references_that_are_no_triples_are_kept_dangling():
    report = one(msg_type="Update", references="<references>KSA-17</references>")
    assert report.references == ("cap:KSA-17",)


# ------------------------------------------------------------------ envelopes and encodings


def test_cap_1_1_inside_atom_is_read_and_a_bare_index_entry_is_refused():
    report, refused = read("cap_1_1_in_atom.xml")
    assert report.event_id == "cap:s@example.org,in.atom,2026-05-01T10:00:00Z"
    assert (report.status, report.hazard) == (Status.EXERCISE, Hazard.TSUNAMI)
    assert report.area_text == "Coast"
    assert refused[:2] == ("item 2", "index entry without the CAP message itself")


def test_an_empty_atom_feed_is_no_error():
    assert parse(b'<feed xmlns="http://www.w3.org/2005/Atom"><title>none</title></feed>') == []


def test_latin_1_is_read_as_declared_and_as_undeclared():
    declared = (DATA / "latin1.xml").read_bytes()
    (report,) = parse(declared)
    assert (report.title, report.area_text) == ("météo", "Orléans")
    for said_instead in (b'encoding="UTF-8"', b""):
        payload = declared.replace(b'encoding="ISO-8859-1"', said_instead)
        assert parse(payload) == [report]


@pytest.mark.parametrize("mark", [b"\xef\xbb\xbf", b"\xc3\xaf\xc2\xbb\xc2\xbf", b"\n\n "])
def test_marks_and_blanks_before_the_xml_change_nothing(mark):
    payload = (DATA / "full_1_2.xml").read_bytes()
    assert parse(mark + payload) == parse(payload)


def test_utf_16_is_read_by_its_mark():
    payload = (DATA / "mixed_all_clear.xml").read_text()
    assert parse(payload.encode("utf-16")) == parse(payload.encode())


def test_cap_as_json_is_the_same_message():
    said = (
        b'{"alert": {"identifier": "j", "sender": "s", "sent": "2026-05-01T06:00:00-06:00",'
        b'"status": "Actual", "msgType": "Alert", "scope": "Public",'
        b'"info": [{"category": "Health",'
        b'"event": "Drinking Water", "urgency": "Immediate", "severity": "Moderate",'
        b'"certainty": "Observed", '
        b'"area": [{"areaDesc": "Village", "circle": "49.3,-103.25 2"}]}]}}'
    )
    (report,) = parse(said)
    assert (report.sent_at, report.hazard) == (at(12), Hazard.HEALTH)
    assert report.areas == (Circle(lon_deg=-103.25, lat_deg=49.3, radius_m=2000.0),)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b'{"alert": {"event": "x"}}', "the JSON holds no CAP alert"),
        (b"{}", "the JSON holds no CAP alert"),
        (b"{" * 100_000, "not the JSON this feed reads"),
        (b'{"a":' * 100_000, "not the JSON this feed reads"),
        (b"<report/>", "the XML (report) holds no CAP alert"),
        (b"<a>" * 100_000, "not well-formed XML"),
        (b"<alert", "not well-formed XML"),
    ],
)
def test_payloads_that_are_no_cap_are_one_refusal(payload, reason):
    (refused,) = parse(payload)
    assert refused.item == "payload"
    assert refused.reason.startswith(reason)
    assert len(refused.body) <= 2000


# ------------------------------------------------------------------ attacks


@pytest.mark.parametrize("name", ["xxe.xml", "billion_laughs.xml"])
def test_a_doctype_is_refused_and_no_entity_is_ever_opened(name):
    (refused,) = read(name)
    assert refused.item == "payload"
    assert "DOCTYPE" in refused.reason or "not well-formed" in refused.reason
    secret = Path("/etc/hostname")
    if secret.exists() and secret.read_text().strip():
        assert secret.read_text().strip() not in refused.body + refused.reason


@pytest.mark.parametrize(
    "doctype",
    [
        b'<!DOCTYPE alert SYSTEM "http://127.0.0.1:9/x.dtd">',
        b"<!DOCTYPE alert>",
        b"<!DOCTYPE alert []>",
    ],
)
def test_any_doctype_is_refused_also_one_without_entities(doctype):
    payload = (DATA / "mixed_all_clear.xml").read_bytes()
    (refused,) = parse(doctype + payload)
    assert refused.reason == "the XML has a DOCTYPE; entities and DTDs are refused"
