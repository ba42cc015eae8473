"""Intake: what the user sees of good and bad input, interface by interface."""

import json

import pytest

from tests.cli.crisis import PEOPLE, QUAKE, registration

LIST = """\
person_id,precision,country,city,lon,lat,from,to
h1.1,city,TR,Adana,35.32,37.00,2023-02-05,2023-02-09
h1.2,city,TR,Adana,35.32,37.00,2023-02-05,2023-02-09
h2.1,country,NA,,,,2023-02-01,
"""


def letters(rollcall):
    rollcall("run", "--until-idle")
    return rollcall("export", "deadletters").rows


def everything_stored(rollcall):
    return b"".join(path.read_bytes() for path in rollcall.data.iterdir())


def test_a_bad_line_is_quarantined_and_the_rest_goes_on(rollcall):
    broken = b'{"type": "CheckedIn", "event_id"\n'
    file = rollcall.events("mixed.ndjson", *PEOPLE)
    file.write_bytes(file.read_bytes() + broken)
    answer = rollcall("ingest", file)
    assert answer.lines[:2] == [
        "mixed.ndjson: 3 accepted, 1 rejected, 0 duplicate, 0 conflict",
        "  line 4: Input data was truncated",
    ]
    (letter,) = letters(rollcall)
    assert letter["reason"] == "mixed.ndjson, line 4: Input data was truncated"
    assert letter["body"].startswith("withheld, it holds nothing that can be told (mark ")
    listed = rollcall("deadletters", "list").out
    assert "mixed.ndjson, line 4: Input data was truncated" in listed
    assert "1 dead letters, 0 of them can be retried" in listed
    assert "Dead letters: 1 " in rollcall("status").out


def test_nothing_but_bad_input_ends_with_one(rollcall):
    answer = rollcall("ingest", rollcall.file("bad.ndjson", "nonsense\n"), code=1)
    assert answer.lines[0] == "bad.ndjson: 0 accepted, 1 rejected, 0 duplicate, 0 conflict"


def test_the_same_refusal_twice_is_one_dead_letter(rollcall):
    file = rollcall.file("bad.ndjson", "nonsense\n")
    rollcall("ingest", file, code=1)
    rollcall("ingest", file, code=1)
    assert len(letters(rollcall)) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"type": "Tick"}, "type 'Tick' is not one of RegistrationFiled, CheckedIn,"),
        ({"occurred_at": "2023-02-01T12:00:00"}, "occurred_at has no time zone; write it as"),
        ({"person_id": "Jan Peeters"}, "person_id is not <home>.<n>"),
        ({"status": "Test"}, "status Test: a transport test concerns nobody"),
        ({"colour": "red"}, "Object contains unknown field `colour`"),
    ],
)
def test_each_wrong_event_says_what_is_wrong(rollcall, change, reason):
    event = registration("ana.1", {"country": "TR", "lon_deg": 37.0, "lat_deg": 37.0}) | change
    answer = rollcall("ingest", rollcall.events("one.ndjson", event), code=1)
    assert reason in answer.lines[1]


def test_one_id_with_two_contents_is_a_conflict_and_said(rollcall):
    rollcall("ingest", rollcall.events("one.ndjson", PEOPLE[0]))
    other = PEOPLE[0] | {"language": "nl"}
    answer = rollcall("ingest", rollcall.events("two.ndjson", other), code=1)
    assert answer.lines == [
        "two.ndjson: 0 accepted, 0 rejected, 0 duplicate, 1 conflict",
        (
            "  conflict: a known event_id with other contents; one of the two will be rejected"
            " by the next run"
        ),
    ]


def test_direct_identifiers_in_an_event_are_named_and_never_stored(rollcall):
    event = PEOPLE[0] | {"email": "jan.peeters@example.org"}
    answer = rollcall("ingest", rollcall.events("one.ndjson", event), code=1)
    assert "direct identifiers belong in the vault" in answer.lines[1]
    (letter,) = letters(rollcall)
    assert letter["body"].startswith("withheld, it holds email (mark ")
    assert b"jan.peeters" not in everything_stored(rollcall)


def test_what_looks_like_a_number_or_an_address_is_stored_nowhere(rollcall):
    number, address = "+32 470 12 34 56", "jan.peeters@example.org"
    place = {"country": "TR", "lon_deg": 37.0, "lat_deg": 37.0}
    wrong = [
        registration("ana.1", place | {"name": f"hotel, {number}"}),
        registration("ben.1", place) | {"event_id": number},
        registration("cem.1", place) | {"registration_id": address},
        registration("dua.1", place) | {"party_id": "0032470123456"},
        registration("eva.1", place) | {"remark": number},
        registration("Jan Peeters", place),
    ]
    file = rollcall.events("wrong.ndjson", registration("fay.1", place), *wrong)
    file.write_text(file.read_text() + f"Jan Peeters {number} {address}\n")
    answer = rollcall("ingest", file)
    assert answer.lines[0] == "wrong.ndjson: 1 accepted, 7 rejected, 0 duplicate, 0 conflict"
    like = "looks like an e-mail address or a telephone number"
    assert [line for line in answer.lines if like in line] == [
        f"  reg-ana.1: name {like}",
        f"  event 3: event_id {like}",
        f"  reg-cem.1: registration_id {like}",
        f"  reg-dua.1: party_id {like}",
    ]
    assert len(letters(rollcall)) == 7
    stored = everything_stored(rollcall)
    for personal in (b"470 12 34", b"470123456", b"peeters", b"Peeters"):
        assert personal not in stored


def test_the_dead_letters_of_a_file_stand_in_its_order(rollcall):
    rollcall("ingest", rollcall.file("bad.ndjson", "a\nb\nc\nd\ne\nf\n"), code=1)
    rollcall("run", "--until-idle")
    listed = rollcall("deadletters", "list").lines[1:-1:2]
    assert [line.partition(":")[0].strip() for line in listed] == [
        f"bad.ndjson, line {number}" for number in range(1, 7)
    ]


def test_a_list_with_names_is_refused_whole_and_nothing_of_it_is_stored(rollcall):
    table = "person_id,country,from,Full name,GSM\nh1.1,TR,2023-02-05,Jan Peeters,+32470123456\n"
    answer = rollcall("ingest", rollcall.file("school.csv", table), code=1)
    assert answer.lines[:2] == [
        "school.csv: 0 accepted, 1 rejected, 0 duplicate, 0 conflict",
        (
            "  file: columns full name, gsm hold direct identifiers, which belong in the contact"
            " vault; nothing of this file was stored; take the columns out"
        ),
    ]
    (letter,) = letters(rollcall)
    assert letter["body"] == "columns: person_id, country, from, full name, gsm"
    stored = everything_stored(rollcall)
    assert b"Peeters" not in stored
    assert b"470123456" not in stored
    assert rollcall("export", "persons").rows == []


def test_a_list_is_taken_in_once_and_namibia_is_a_country(rollcall):
    file = rollcall.file("school.csv", LIST)
    assert rollcall("ingest", file, "--received-at", "2023-02-01T00:00:00Z").lines == [
        "school.csv: 3 accepted, 0 rejected, 0 duplicate, 0 conflict"
    ]
    assert rollcall("ingest", file).lines == [
        "school.csv: 0 accepted, 0 rejected, 3 duplicate, 0 conflict"
    ]
    rollcall("run", "--until-idle", "--now", "2023-02-06T00:00:00Z")
    people = {row["person_id"]: row for row in rollcall("export", "persons").rows}
    assert people["h1.1"]["place"] == "Adana"
    assert people["h2.1"]["country"] == "NA"
    table = rollcall("export", "persons", "--format", "csv").lines
    assert "h2.1,stay,country,NA,,,,," in table[3]


def test_a_corrected_list_of_the_same_name_replaces_the_first(rollcall):
    rollcall("ingest", rollcall.file("school.csv", LIST), "--received-at", "2023-02-01T00:00:00Z")
    moved = LIST.replace("Adana,35.32,37.00", "Izmir,27.14,38.42")
    rollcall("ingest", rollcall.file("school.csv", moved), "--received-at", "2023-02-02T00:00:00Z")
    rollcall("run", "--until-idle", "--now", "2023-02-06T00:00:00Z")
    people = {row["person_id"]: row for row in rollcall("export", "persons").rows}
    assert people["h1.1"]["place"] == "Izmir"


def test_a_list_may_go_back_to_what_an_earlier_one_said(rollcall):
    moved = LIST.replace("Adana,35.32,37.00", "Izmir,27.14,38.42")
    for day, text, counts in (
        (1, LIST, "3 accepted, 0 rejected, 0 duplicate"),
        (2, moved, "2 accepted, 0 rejected, 1 duplicate"),
        (3, LIST, "2 accepted, 0 rejected, 1 duplicate"),
        (4, LIST, "0 accepted, 0 rejected, 3 duplicate"),
        (5, moved, "2 accepted, 0 rejected, 1 duplicate"),
        (6, LIST, "2 accepted, 0 rejected, 1 duplicate"),
    ):
        file = rollcall.file("school.csv", text)
        answer = rollcall("ingest", file, "--received-at", f"2023-01-0{day}T00:00:00Z")
        assert answer.lines == [f"school.csv: {counts}, 0 conflict"]
    rollcall("run", "--until-idle", "--now", "2023-02-06T00:00:00Z")
    people = {row["person_id"]: row for row in rollcall("export", "persons").rows}
    assert people["h1.1"]["place"] == "Adana"


def test_an_older_list_sent_again_stays_older(rollcall):
    heading = "person_id,country,from,filed_at\n"
    first = rollcall.file("tour.csv", heading + "h1.1,TR,2023-02-05,2023-01-01T00:00:00Z\n")
    rollcall("ingest", first)
    second = rollcall.file("tour.csv", heading + "h1.1,IT,2023-02-05,2023-01-02T00:00:00Z\n")
    rollcall("ingest", second)
    rollcall.file("tour.csv", heading + "h1.1,TR,2023-02-05,2023-01-01T00:00:00Z\n")
    answer = rollcall("ingest", first)
    assert answer.lines == ["tour.csv: 0 accepted, 0 rejected, 1 duplicate, 0 conflict"]


def test_an_item_too_large_for_the_log_costs_only_itself(rollcall):
    place = {"country": "TR", "name": "x" * 4_200_000, "lon_deg": 37.0, "lat_deg": 37.0}
    large = registration("dan.1", place)
    answer = rollcall("ingest", rollcall.events("big.ndjson", PEOPLE[0], large, PEOPLE[1]))
    assert answer.lines[:2] == [
        "big.ndjson: 2 accepted, 1 rejected, 0 duplicate, 0 conflict",
        "  reg-dan.1: the message has 4200315 bytes; a record holds at most 4194304",
    ]


def test_one_file_refused_whole_among_good_ones_ends_with_one(rollcall):
    good = rollcall.events("good.ndjson", *PEOPLE)
    bad = rollcall.file("bad.csv", "person_id,country,from,hotel\n")
    answer = rollcall("ingest", good, bad, code=1)
    assert answer.lines[:2] == [
        "good.ndjson: 3 accepted, 0 rejected, 0 duplicate, 0 conflict",
        "bad.csv: 0 accepted, 1 rejected, 0 duplicate, 0 conflict",
    ]


def test_a_list_with_a_quote_that_never_closes_ends_with_one(rollcall):
    table = 'person_id,country,from,city\nh1.1,TR,2023-02-05,\nh2.1,TR,2023-02-05,"Ada\nh3.1,TR,\n'
    answer = rollcall("ingest", rollcall.file("tour.csv", table), code=1)
    assert answer.lines[:2] == [
        "tour.csv: 0 accepted, 1 rejected, 0 duplicate, 0 conflict",
        (
            '  line 3: not CSV: unexpected end of data; look for a quote (") without its pair;'
            " nothing of this file was stored"
        ),
    ]


def test_bad_rows_of_a_list_are_refused_by_line_and_the_rest_goes_on(rollcall):
    rows = [
        "h1.1,city,TR,Adana,35.32,37.00,2023-02-05,2023-02-09",
        "Jan,city,TR,Adana,35.32,37.00,2023-02-05,",
        "h3.1,city,UK,London,-0.12,51.50,2023-02-05,",
        "h4.1,city,TR,Adana,,,2023-02-05,",
        "h5.1,city,TR,Adana,35.32,137.00,2023-02-05,",
        "h6.1,city,TR,Adana,35.32,37.00,05/02/2023,",
        "h7.1,city,TR,Adana,35.32,37.00,2023-02-05,2023-02-01",
        "h8.1,city,TR,Adana,east,37.00,2023-02-05,",
        "h9.1,city,TR",
        "h10.1,city,TR,jan@example.org,35.32,37.00,2023-02-05,",
        "h11.1,village,TR,Adana,35.32,37.00,2023-02-05,",
    ]
    heading = LIST.splitlines()[0]
    answer = rollcall("ingest", rollcall.file("tour.csv", "\n".join([heading, *rows])))
    assert answer.lines[:11] == [
        "tour.csv: 1 accepted, 10 rejected, 0 duplicate, 0 conflict",
        "  line 3: person_id is not <home>.<n>, for example h3f9a.1",
        "  line 4: country 'UK' is not an ISO 3166-1 code",
        "  line 5: precision city needs lon_deg and lat_deg",
        "  line 6: lat_deg 137.0 is not between -90 and 90",
        "  line 7: from '05/02/2023' is not a date as 2023-02-05",
        "  line 8: to_date 2023-02-01 is before from_date 2023-02-05",
        "  line 9: lon 'east' is not a number",
        "  line 10: 3 cells under 8 columns",
        "  line 11: city looks like an e-mail address or a telephone number",
        "  line 12: precision 'village' is not address, city, admin1 or country",
    ]
    kept = letters(rollcall)
    assert {letter["reason"] for letter in kept} > {
        "tour.csv, line 3: person_id is not <home>.<n>, for example h3f9a.1",
        "tour.csv, line 4: country ... is not an ISO 3166-1 code",
    }
    assert {letter["body"].partition(" (mark ")[0] for letter in kept} == {
        "withheld, it holds city, country, from, lat, lon, person_id, precision, to"
    }


def test_the_payload_of_a_feed_goes_through_its_parser(rollcall):
    feature = {
        "type": "Feature",
        "id": "us1",
        "properties": {
            "mag": 6.8, "place": "Al Haouz, Morocco", "time": 1694211061000,
            "updated": 1694212400000, "type": "earthquake", "title": "M 6.8 - Al Haouz, Morocco",
            "status": "reviewed", "net": "us", "code": "1", "ids": ",us1,", "magType": "mww",
        },
        "geometry": {"type": "Point", "coordinates": [-8.39, 31.06, 19.0]},
    }  # fmt: skip
    nothing = {**feature, "id": "us2", "geometry": {"type": "Point", "coordinates": [200, 99]}}
    payload = {"type": "FeatureCollection", "features": [feature, nothing]}
    file = rollcall.file("all_day.geojson", json.dumps(payload))
    answer = rollcall("ingest", "--feed", "usgs", file)
    assert answer.lines[0] == ("all_day.geojson: 1 accepted, 1 rejected, 0 duplicate, 0 conflict")
    refused = rollcall("ingest", "--feed", "usgs", rollcall.file("x", "<html>busy</html>"), code=1)
    assert "  payload: the payload is an HTML page, not data" in refused.lines


def test_what_cannot_be_told_is_asked_for(rollcall):
    answer = rollcall("ingest", rollcall.file("data.txt", "x"), code=2)
    assert answer.err == (
        "Error: the name data.txt does not tell what the file is.\n"
        "Next: save a list as .csv, events as .ndjson, or name its feed with --feed:"
        " usgs, gdacs, cap, de_aa, ndjson.\n"
    )
    answer = rollcall("ingest", "--feed", "usg", rollcall.file("data.txt", "x"), code=2)
    assert answer.err.startswith("Error: no feed 'usg'; there are usgs, gdacs, cap, de_aa, ndjson")
    assert not rollcall.data.exists()


def test_a_missing_file_and_a_time_without_zone_are_usage_errors(rollcall):
    assert "does not exist" in rollcall("ingest", rollcall.folder / "none.ndjson", code=2).err
    file = rollcall.events("one.ndjson", QUAKE)
    answer = rollcall("ingest", file, "--received-at", "2023-02-06T01:25:00", code=2)
    assert "'2023-02-06T01:25:00' is no time as 2023-02-06T01:17:34Z" in answer.err
