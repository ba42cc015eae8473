"""Acts before they are sent: what is missing, what an outline is, one act once."""

import pytest

from dashboard.acts import (
    Draft,
    OutlineError,
    declaration,
    missing,
    outline_of,
    overrides,
    polygon,
)

TRIANGLE = ((36.0, 37.0), (37.0, 37.0), (36.5, 38.0))

MULTI = '{"type":"MultiPolygon","coordinates":[[[[36,37],[37,37],[36.5,38],[36,37]]]]}'


@pytest.mark.parametrize(
    ("by", "reason", "wanted"),
    [
        ("officer7", "rang the post", ()),
        ("officer7", "  ok  ", ("needs_reason",)),
        ("officer7", "12345", ()),
        (" ", "rang the post", ("needs_user",)),
        ("", "", ("needs_user", "needs_reason")),
    ],
)
def test_an_act_needs_a_name_and_a_reason(by: str, reason: str, wanted: tuple[str, ...]) -> None:
    assert missing(by=by, reason=reason) == wanted


def test_several_people_are_one_command_each_and_nobody_twice() -> None:
    said = overrides(["a.1", "b.1", "a.1"], "sit-1", "safe")
    assert said == (
        {"person_id": "a.1", "situation_id": "sit-1", "bucket": "safe"},
        {"person_id": "b.1", "situation_id": "sit-1", "bucket": "safe"},
    )
    draft = Draft("override", "officer7", "rang the post", "Actual", said, nonce="n")
    assert draft.nonces() == ("n-a.1", "n-b.1")
    assert Draft("close", "o", "it is over", "Actual", ({},), nonce="n").nonces() == ("n",)


def test_two_drafts_are_two_acts() -> None:
    one, two = (Draft("close", "o", "it is over", "Actual", ({},)) for _ in range(2))
    assert one.nonces() == one.nonces() != two.nonces()


def test_a_drawn_area_is_closed_and_anticlockwise() -> None:
    ring = [[36.0, 37.0], [37.0, 37.0], [36.5, 38.0], [36.0, 37.0]]
    assert polygon(TRIANGLE) == {"kind": "polygons", "polygons": [[ring]]}
    clockwise = polygon(TRIANGLE[::-1])["polygons"][0][0]
    assert clockwise == [[36.0, 37.0], [37.0, 37.0], [36.5, 38.0], [36.0, 37.0]]


def test_a_declaration_says_only_what_there_is() -> None:
    assert declaration(" Dam ", "flood", countries=[], outline=()) == {
        "title": "Dam",
        "hazard": "flood",
    }
    whole = declaration("Dam", "flood", countries=["TR"], outline=TRIANGLE)
    assert whole["areas"] == [{"kind": "countries", "codes": ["TR"]}, polygon(TRIANGLE)]


@pytest.mark.parametrize(
    "text",
    [
        "37, 36\n37, 37\n\n38, 36.5",
        "37 36\n37;37\n38 36.5\n37 36",
        '{"type":"Polygon","coordinates":[[[36,37],[37,37],[36.5,38],[36,37]]]}',
        '{"type":"Feature","geometry":' + MULTI + "}",
    ],
)
def test_an_outline_can_be_typed_or_pasted(text: str) -> None:
    assert outline_of(text) == TRIANGLE


@pytest.mark.parametrize(
    ("text", "key", "at"),
    [
        ("", "outline_few", ""),
        ("37, 36\n37, 37", "outline_few", ""),
        ("37, 36\nAdana\n38, 36", "outline_line", "2"),
        ("37, 36\n97, 36\n38, 36", "outline_off_earth", "97.0, 36.0"),
        ("0,0\n0,2\n2,0\n2,2", "outline_crosses", "2"),
        ("37, 36\n" * 501, "outline_few", ""),
        ('{"type":"Point","coordinates":[1,2]}', "outline_not_polygon", "Point"),
        ('{"type":"FeatureCollection","features":[]}', "outline_geojson", ""),
        ("{", "outline_geojson", ""),
        ('{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]],[]]}', "outline_geojson", ""),
    ],
)
def test_what_is_no_outline_is_refused_in_words(text: str, key: str, at: str) -> None:
    with pytest.raises(OutlineError) as caught:
        outline_of(text)
    assert (caught.value.key, caught.value.at) == (key, at)


def test_an_outline_of_too_many_corners_is_refused() -> None:
    lines = "\n".join(f"{index / 100}, {(index % 2) / 100}" for index in range(501))
    with pytest.raises(OutlineError) as caught:
        outline_of(lines)
    assert (caught.value.key, caught.value.at) == ("outline_many", "501")
