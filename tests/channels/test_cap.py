"""CAP files: valid by the OASIS schema, whatever is in the alert."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from schemas.codelists import Hazard, Status
from schemas.place import Polygons
from streams.channels.cap import CAP, CATEGORY, MAX_POINTS, document
from streams.delivery import About, Zone
from tests.channels.builders import ABOUT, AT, RING, SCHEMA, alert, exercise, message


def valid(said, sender="crisis@example.org"):
    """Return the document as a tree, once the schema has had nothing against it."""
    tree = etree.fromstring(document(said, sender))
    SCHEMA.assertValid(tree)
    return tree


def texts(tree, name):
    return [one.text for one in tree.iter(f"{{{CAP}}}{name}")]


def test_an_alert_says_all_that_cap_asks_for():
    tree = valid(message(late_s=120))
    first = {etree.QName(one).localname: one.text for one in tree if len(one) == 0}
    assert first == {
        "identifier": "delivery-1",
        "sender": "crisis@example.org",
        "sent": "2023-02-06T01:25:00-00:00",
        "status": "Actual",
        "msgType": "Alert",
        "scope": "Restricted",
        "restriction": "For the crisis centre; not for the public.",
    }
    assert texts(tree, "category") == ["Geo"]
    assert texts(tree, "severity") + texts(tree, "urgency") == ["Severe", "Immediate"]
    assert texts(tree, "expires") == ["2023-02-06T07:25:00-00:00"]
    assert texts(tree, "description") == [
        "M 7.8: 1 of ours\nThis alert is late by 2 min.\nknown: 2"
    ]
    assert texts(tree, "areaDesc") == ["M 7.8 Gaziantep, MMI VI", "M 7.8 Gaziantep, MMI VII"]
    assert texts(tree, "circle") == ["37.20000,37.00000 90.000"]
    assert texts(tree, "polygon") == [
        "36.00000,36.00000 36.00000,38.00000 38.00000,38.00000 38.00000,36.00000 36.00000,36.00000"
    ]
    assert texts(tree, "value")[-1] == "TR"


def test_an_exercise_is_one_in_status_note_and_headline():
    tree = valid(message(alert=exercise()))
    assert texts(tree, "status") == ["Exercise"]
    assert texts(tree, "note") == ["EXERCISE: nothing of this has happened."]
    assert texts(tree, "headline") == ["EXERCISE M 7.8: 2 of ours"]


@pytest.mark.parametrize(("known", "kind"), [(1, "Update"), (0, "Cancel")])
def test_a_correction_refers_to_what_it_corrects(known, kind):
    said = message(
        alert=alert(intent="correction", facts={"known": known}),
        corrects="delivery-0",
        corrects_sent_at=AT - timedelta(minutes=5),
    )
    tree = valid(said)
    assert texts(tree, "msgType") == [kind]
    assert texts(tree, "references") == ["crisis@example.org,delivery-0,2023-02-06T01:20:00-00:00"]
    assert texts(tree, "headline") == ["CORRECTION M 7.8: 1 of ours"]


def test_a_help_request_is_a_rescue_and_an_unknown_area_is_said_to_be():
    tree = valid(message(alert=alert(rule="help_requested"), about=About()))
    assert texts(tree, "category") == ["Rescue"]
    assert texts(tree, "areaDesc") == ["sit-1 (its area is not known)"]


def test_a_ring_of_thousands_of_points_is_left_out():
    ring = (*(RING[0] for _ in range(MAX_POINTS)), RING[0])
    about = About("Flood", Hazard.FLOOD, (Zone("area", (Polygons(polygons=((ring,),)),)),))
    tree = valid(message(about=about))
    assert texts(tree, "polygon") == []
    assert texts(tree, "areaDesc") == ["Flood, area"]


def test_every_hazard_has_a_category():
    assert set(CATEGORY) == set(Hazard)


text = st.text(max_size=40)


@given(
    title=text,
    severity=text,
    facts=st.dictionaries(text, st.one_of(text, st.integers()), max_size=4),
    status=st.sampled_from(Status),
    late_s=st.integers(0, 10**7),
    band=text,
    hazard=st.one_of(st.none(), st.sampled_from(Hazard)),
)
def test_whatever_an_alert_holds_the_file_is_valid(
    title, severity, facts, status, late_s, band, hazard
):
    zones = (*ABOUT.zones, Zone(band, ()))
    raised = alert(title=title, severity=severity, facts=facts, status=status)
    said = message(alert=raised, late_s=late_s, about=About(title, hazard, zones))
    tree = valid(said)
    assert texts(tree, "status") == [status.value]
    assert document(said, "x") == document(said, "x")
