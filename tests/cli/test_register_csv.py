"""A register as CSV, down to what spreadsheets do to it."""

from datetime import UTC, date, datetime

import pytest

from schemas.codelists import Precision
from schemas.person import RegistrationFiled
from streams.ingest.register_csv import COLUMNS, parse_register

NOW = datetime(2023, 2, 5, 12, tzinfo=UTC)


def parse(text, list_name="list:school"):
    return parse_register(list_name, text.encode() if isinstance(text, str) else text, NOW)


def one(text):
    (found,) = parse(text)
    assert isinstance(found, RegistrationFiled), found
    return found


def reason(text):
    (found,) = parse(text)
    assert isinstance(found, tuple), found
    return found[1]


def test_the_rows_of_one_person_are_one_registration():
    found = one(
        "person_id,country,city,lon,lat,from,to\n"
        "h1.1,TR,Adana,35.32,37.0,2023-02-05,2023-02-07\n"
        "h1.1,TR,Izmir,27.14,38.42,2023-02-07,\n"
    )
    assert (found.person_id, found.registration_id) == ("h1.1", "list:school")
    assert [(s.stay_id, s.place.name, s.from_date, s.to_date) for s in found.stays] == [
        ("1", "Adana", date(2023, 2, 5), date(2023, 2, 7)),
        ("2", "Izmir", date(2023, 2, 7), None),
    ]
    assert found.occurred_at == NOW


def test_a_list_of_a_belgian_spreadsheet_with_semicolons_and_decimal_commas():
    found = one(
        "\ufeffPerson_ID;Country;Lon;Lat;From\r\nh1.1;tur;35,32;37,0;2023-02-05\r\n".encode()
    )
    assert (found.stays[0].place.lon_deg, found.stays[0].place.country) == (35.32, "TR")
    assert found.stays[0].place.precision is Precision.CITY


@pytest.mark.parametrize(
    ("row", "precision"),
    [("35.3,37.0,", "city"), (",,TR-01", "admin1"), (",,", "country")],
)
def test_an_empty_precision_is_what_the_row_gives(row, precision):
    found = one(f"person_id,country,from,lon,lat,admin1\nh1.1,TR,2023-02-05,{row}\n")
    assert found.stays[0].place.precision == precision


def test_filed_at_orders_the_versions_of_a_list():
    text = "person_id,country,from,filed_at\nh1.1,TR,2023-02-05,{}\n"
    first, second = one(text.format("2023-01-01T00:00:00Z")), one(text.format("2023-01-02T00:00Z"))
    assert first.occurred_at == datetime(2023, 1, 1, tzinfo=UTC)
    assert first.event_id != second.event_id


def test_without_filed_at_the_id_is_the_content_alone():
    text = "person_id,country,from\nh1.1,TR,2023-02-05\n"
    later = parse_register("list:school", text.encode(), datetime(2024, 1, 1, tzinfo=UTC))
    (found,) = later
    assert isinstance(found, RegistrationFiled)
    assert found.event_id == one(text).event_id
    assert found.event_id != one(text.replace("05", "06")).event_id


def test_a_residence_needs_no_first_day():
    found = one("person_id,country,from,residence,minor\nh1.1,MA,,yes,no\n")
    assert (found.stays[0].residence, found.minor) == (True, False)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "the list is empty; its first line must name person_id, country, from"),
        ("person_id,country\nh1.1,TR\n", "the first line lacks from"),
        ("person_id,country,from,from\n", "a column stands twice in the first line"),
        ("person_id,country,from,hotel\n", "unknown columns 'hotel'; nothing was stored"),
        ("person_id,country,from,nom\n", "columns nom hold direct identifiers"),
        ("person_id,country,from,Téléphone\n", "columns téléphone hold direct identifiers"),
        ("person_id,country,from,e-mail\n", "columns e-mail hold direct identifiers"),
        ("person_id,country,from,vorname\n", "columns vorname hold direct identifiers"),
        ("person_id,country,from,gsm-nummer\n", "columns gsm-nummer hold direct identifiers"),
        ("person_id,country,from\nh1.1,,2023-02-05\n", "country '' is not an ISO 3166-1 code"),
        ("person_id,country,from\nh1.1,TR,\n", "a stay needs from_date"),
        ("person_id,country,from\nh1.1,TR,+32 470 12 34 56\n", "from looks like an e-mail"),
        ("person_id,country,from,minor\nh1.1,TR,2023-02-05,perhaps\n", "is not yes or no"),
        ('person_id,country,from\n"h1.1,TR', "not CSV: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_said(text, words):
    assert words in reason(text)


def test_bytes_that_are_no_text_are_refused_with_what_to_do():
    found = reason("person_id,country,from,city\nh1.1,TR,2023-02-05,Liège\n".encode("cp1252"))
    assert found == "not UTF-8 at byte 49; save the list as CSV UTF-8"


def test_two_answers_to_one_question_refuse_the_registration():
    found = reason(
        "person_id,country,from,language\nh1.1,TR,2023-02-05,nl\nh1.1,TR,2023-02-06,fr\n"
    )
    assert found == "language differs between the rows of one registration"


HEADING = "person_id,country,city,lon,lat,from\n"
ADANA, OFF_EARTH = "TR,Adana,35.32,37.0,2023-02-05", "TR,Izmir,27.14,138.42,2023-02-07"


@pytest.mark.parametrize("bad", [OFF_EARTH, "TR,Izmir", "TR,jan@example.org,27.1,38.4,2023-02-07"])
def test_a_bad_row_refuses_all_rows_of_its_registration_and_no_other(bad):
    found = parse(f"{HEADING}h1.1,{ADANA}\nh1.1,{bad}\nh2.1,{ADANA}\n")
    refused = [item for item in found if isinstance(item, tuple)]
    assert [item for item, _, _ in refused] == ["line 3", "line 2"]
    assert refused[1][1] == (
        "line 3 of the same registration is refused; it is taken whole or not at all"
    )
    (good,) = (item for item in found if isinstance(item, RegistrationFiled))
    assert good.person_id == "h2.1"


def test_a_bad_row_leaves_another_registration_of_the_same_person_alone():
    text = "person_id,country,from,registration_id\nh1.1,TR,2023-02-05,a\nh1.1,QQ,2023-02-05,b\n"
    good, refused = sorted(parse(text), key=lambda item: isinstance(item, tuple))
    assert (good.registration_id, refused[0]) == ("a", "line 3")


@pytest.mark.parametrize(
    ("rows", "item_is", "error"),
    [
        (
            f'h1.1,{ADANA}\nh2.1,TR,"Adana,1,1,2023-02-05\nh3.1,{ADANA}\n',
            "line 3", "unexpected end of data",
        ),
        (
            f'h1.1,{ADANA}\nh2.1,TR,"Ada\nh3.1,{ADANA}\nh4.1,TR,na",35.3,37.0,2023-02-05\n',
            "line 3", "a cell goes on to line 5",
        ),
        (
            f'h1.1,{ADANA}\nh2.1,TR,"Ada"na,35.3,37.0,2023-02-05\n',
            "line 3", "',' expected after '\"'",
        ),
    ],
)  # fmt: skip
def test_a_quote_without_its_pair_refuses_the_file_and_says_where(rows, item_is, error):
    ((item, why, body),) = parse(HEADING + rows)
    assert (item, body) == (item_is, "")
    assert why == (
        f'not CSV: {error}; look for a quote (") without its pair; nothing of this file was stored'
    )


@pytest.mark.parametrize("who", ["Jan Peeters", "Peeters", "0470123456"])
def test_a_person_id_that_may_be_somebody_is_not_quoted(who):
    ((_, why, body),) = parse(f"{HEADING}{who},{ADANA}\n")
    assert why == "person_id is not <home>.<n>, for example h3f9a.1"
    assert body.startswith("withheld, it holds city, country, from, lat, lon, person_id (mark ")


def test_every_column_is_described():
    assert all(about for about in COLUMNS.values())
