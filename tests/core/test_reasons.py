"""Why somebody is flagged: the parts, and one sentence in each working language."""

from datetime import date
from typing import Any

import pytest

from schemas.codelists import Basis, Precision
from schemas.exposure import ExposureOpened, Reason
from schemas.place import Place
from streams.core.reasons import BASIS, LANGUAGES, PRECISION, WORDS, sentence
from tests.support.engine import CITIES, Engine, at, fix, quake, stays_in

_, LON, LAT = CITIES["gaziantep"]
TITLE = "M 7.9 Türkiye"


def reason(basis: Basis, precision: Precision, **parts: Any) -> Reason:
    return Reason(
        basis=basis,
        precision=precision,
        as_of=at("01:30"),
        zone_id="inc-1/VI",
        zone_version=2,
        band="VI",
        cause_title=TITLE,
        model="worden2012",
        **parts,
    )


REASONS = {
    Basis.FRESH_FIX: reason(
        Basis.FRESH_FIX, Precision.POINT, distance_m=8_400, p_inside=1.0, estimated=True
    ),
    Basis.OLD_FIX: reason(Basis.OLD_FIX, Precision.POINT, distance_m=152_600, p_inside=0.413),
    Basis.STATED_PLACE: reason(
        Basis.STATED_PLACE, Precision.ADDRESS, place_name="Adana", country="TR", p_inside=1.0
    ),
    Basis.STAY: reason(
        Basis.STAY,
        Precision.CITY,
        place_name="Adana",
        country="TR",
        from_date=date(2023, 2, 5),
        to_date=date(2023, 2, 9),
        distance_m=152_600,
        p_inside=1.0,
        estimated=True,
    ),
    Basis.RESIDENCE: reason(Basis.RESIDENCE, Precision.COUNTRY, country="TR"),
}

SENTENCES = {
    (Basis.FRESH_FIX, "en"): "position of 2023-02-06 01:30 UTC, 8 km from the centre of"
    " M 7.9 Türkiye, inside VI footprint v2 (estimated), point-level precision",
    (Basis.FRESH_FIX, "fr"): "position du 2023-02-06 01:30 UTC, à 8 km du centre de"
    " M 7.9 Türkiye, dans la zone VI, version 2 (estimée), précision : point",
    (Basis.FRESH_FIX, "nl"): "positie van 2023-02-06 01:30 UTC, op 8 km van het centrum van"
    " M 7.9 Türkiye, binnen zone VI, versie 2 (geschat), nauwkeurigheid: punt",
    (Basis.FRESH_FIX, "de"): "Position vom 2023-02-06 01:30 UTC, 8 km vom Zentrum von"
    " M 7.9 Türkiye entfernt, innerhalb der Zone VI, Version 2 (geschätzt), Genauigkeit: Punkt",
    (Basis.OLD_FIX, "en"): "last position, of 2023-02-06 01:30 UTC, 153 km from the centre of"
    " M 7.9 Türkiye, may be inside VI footprint v2 (P 0.413), point-level precision",
    (Basis.OLD_FIX, "fr"): "dernière position, du 2023-02-06 01:30 UTC, à 153 km du centre de"
    " M 7.9 Türkiye, peut-être dans la zone VI, version 2 (probabilité 0,413), précision : point",
    (Basis.OLD_FIX, "nl"): "laatste positie, van 2023-02-06 01:30 UTC, op 153 km van het centrum"
    " van M 7.9 Türkiye, mogelijk binnen zone VI, versie 2 (kans 0,413), nauwkeurigheid: punt",
    (Basis.OLD_FIX, "de"): "letzte Position, vom 2023-02-06 01:30 UTC, 153 km vom Zentrum von"
    " M 7.9 Türkiye entfernt, möglicherweise innerhalb der Zone VI, Version 2"
    " (Wahrscheinlichkeit 0,413), Genauigkeit: Punkt",
    (Basis.STATED_PLACE, "en"): "place stated on 2023-02-06 01:30 UTC: Adana,"
    " inside VI footprint v2, address-level precision",
    (Basis.STATED_PLACE, "fr"): "lieu déclaré le 2023-02-06 01:30 UTC : Adana,"
    " dans la zone VI, version 2, précision : adresse",
    (Basis.STATED_PLACE, "nl"): "plaats opgegeven op 2023-02-06 01:30 UTC: Adana,"
    " binnen zone VI, versie 2, nauwkeurigheid: adres",
    (Basis.STATED_PLACE, "de"): "Ortsangabe vom 2023-02-06 01:30 UTC: Adana,"
    " innerhalb der Zone VI, Version 2, Genauigkeit: Adresse",
    (Basis.STAY, "en"): "itinerary city Adana, 5.2.2023 to 9.2.2023, 153 km from the centre of"
    " M 7.9 Türkiye, inside VI footprint v2 (estimated), city-level precision",
    (Basis.STAY, "fr"): "itinéraire, ville Adana, du 5.2.2023 au 9.2.2023, à 153 km du centre de"
    " M 7.9 Türkiye, dans la zone VI, version 2 (estimée), précision : ville",
    (Basis.STAY, "nl"): "reisroute, stad Adana, van 5.2.2023 tot en met 9.2.2023, op 153 km van het"
    " centrum van M 7.9 Türkiye, binnen zone VI, versie 2 (geschat), nauwkeurigheid: stad",
    (Basis.STAY, "de"): "Reiseroute, Stadt Adana, vom 5.2.2023 bis zum 9.2.2023, 153 km vom Zentrum"
    " von M 7.9 Türkiye entfernt, innerhalb der Zone VI, Version 2 (geschätzt),"
    " Genauigkeit: Stadt",
    (Basis.RESIDENCE, "en"): "residence TR, VI footprint v2 touches the country,"
    " country-level precision",
    (Basis.RESIDENCE, "fr"): "résidence TR, la zone VI, version 2, touche le pays,"
    " précision : pays",
    (Basis.RESIDENCE, "nl"): "woonplaats TR, zone VI, versie 2, raakt het land,"
    " nauwkeurigheid: land",
    (Basis.RESIDENCE, "de"): "Wohnsitz TR, Zone VI, Version 2, berührt das Land, Genauigkeit: Land",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("basis", Basis)
def test_every_basis_has_its_sentence_in_every_language(basis: Basis, language: str) -> None:
    assert sentence(REASONS[basis], language) == SENTENCES[basis, language]


def test_every_language_has_all_the_words() -> None:
    for language in LANGUAGES:
        assert BASIS[language].keys() == set(Basis)
        assert PRECISION[language].keys() == set(Precision)
        assert WORDS[language].keys() == WORDS["en"].keys()


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ", from 5.2.2023, "),
        ("fr", ", à partir du 5.2.2023, "),
        ("nl", ", vanaf 5.2.2023, "),
        ("de", ", ab dem 5.2.2023, "),
    ],
)
def test_a_stay_without_an_end_says_since_when(language: str, words: str) -> None:
    open_ended = reason(Basis.STAY, Precision.CITY, country="TR", from_date=date(2023, 2, 5))
    assert words in sentence(open_ended, language)


def opened(*people: Any) -> Reason:
    engine = Engine().put(*people).tick(at("01:00"))
    engine.put(quake(7.9, at("01:25"))).tick(at("01:30"))
    (exposure,) = engine.said(ExposureOpened)
    found: Reason = exposure.reason
    return found


def test_the_reason_says_the_point_to_a_metre_and_the_region_of_the_nearest_city() -> None:
    said = opened(fix("ana.1", 37.38331234, 37.06629876, at("00:30")))
    assert (said.lon_deg, said.lat_deg, said.admin1) == (37.38331, 37.0663, "TR-27")


def test_the_reason_says_the_region_that_was_filed() -> None:
    where = Place(precision=Precision.CITY, country="TR", lon_deg=LON, lat_deg=LAT, admin1="TR-31")
    said = opened(stays_in("ana.1", where))
    assert (said.lon_deg, said.lat_deg, said.admin1) == (37.3833, 37.0662, "TR-31")


def test_a_reason_without_a_point_says_none() -> None:
    said = opened(stays_in("ana.1", Place(precision=Precision.COUNTRY, country="TR")))
    assert (said.lon_deg, said.lat_deg, said.admin1, said.country) == (None, None, None, "TR")
