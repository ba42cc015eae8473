"""Footprints: values of the literature, and what every model must keep to."""

import csv
import pkgutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import geo.footprints
from geo.footprints import FOOTPRINTS, footprint_of
from geo.footprints.base import VALID_S
from geo.footprints.earthquake import intensity, radius_m
from geo.geodesy import distance_m
from schemas.codelists import Hazard, MsgType, Revision
from schemas.place import Circle, Countries, Position
from schemas.report import IncidentReported

AT = datetime(2023, 2, 6, 1, 17, 34, tzinfo=UTC)

with (Path(__file__).parent / "data" / "earthquake.csv").open(encoding="utf-8") as file:
    PUBLISHED = list(csv.DictReader(file))


def report(**changes: Any) -> IncidentReported:
    fields: dict[str, Any] = {
        "event_id": "usgs:us6000jllz:1",
        "source": "usgs",
        "occurred_at": AT,
        "received_at": AT,
        "chain_id": "usgs:us6000jllz",
        "msg_type": MsgType.ALERT,
        "hazard": Hazard.EARTHQUAKE,
        "title": "M 7.8 - Pazarcik",
        "onset_at": AT,
        "sent_at": AT,
        "revision": Revision.CORRECTS,
        "position": Position(lon_deg=37.014, lat_deg=37.226),
        "magnitude": 7.8,
        "depth_m": 10_000.0,
    }
    return IncidentReported(**fields | changes)


def radius_of(area: object) -> float:
    assert isinstance(area, Circle)
    return area.radius_m


# ------------------------------------------------------------------ earthquake
@pytest.mark.parametrize("row", PUBLISHED, ids=lambda r: f"{r['event']} {r['intensity']}")
def test_radii_are_those_of_the_reference(row):
    found = radius_m(
        float(row["magnitude"]), float(row["depth_km"]) * 1000, float(row["intensity"])
    )
    assert found is not None
    assert found / 1000 == pytest.approx(float(row["radius_km"]), abs=1.0)


@pytest.mark.parametrize(
    ("epicentral_km", "expected"),
    [(37, 7.7), (114, 6.6), (153, 6.2)],
    ids=["Gaziantep", "Aleppo", "Adana"],
)
def test_intensities_of_the_m78_are_those_of_the_reference(epicentral_km, expected):
    assert intensity(7.8, 10_000.0, epicentral_km * 1000.0) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("magnitude", [4.9, 5.5, 6.8, 7.9, 9.1])
@pytest.mark.parametrize("depth_m", [-1500.0, 0.0, 10_000.0, 50_000.0, 600_000.0])
@pytest.mark.parametrize("level", [5.0, 5.5, 6.5, 7.5])
def test_a_radius_is_where_the_intensity_falls_to_its_level_within_a_metre(
    magnitude, depth_m, level
):
    found = radius_m(magnitude, depth_m, level)
    if found is None:
        assert intensity(magnitude, depth_m, 0.0) < level
    else:
        assert intensity(magnitude, depth_m, max(found - 1.0, 0.0)) >= level
        assert intensity(magnitude, depth_m, found + 1.0) < level


def test_the_term_beyond_50_km_joins_without_a_jump():
    below, above = (intensity(7.0, 0.0, r) for r in (49_999.99, 50_000.01))
    assert below - above == pytest.approx(0.0, abs=1e-6)


def test_a_depth_not_given_counts_as_10_km_and_the_model_says_so():
    given, assumed = footprint_of(report()), footprint_of(report(depth_m=None))
    assert given is not None
    assert assumed is not None
    assert given.bands == assumed.bands
    assert given.model == "Allen, Wald and Worden 2012"
    assert assumed.model == "Allen, Wald and Worden 2012, depth 10 km assumed"


def test_a_depth_above_sea_level_counts_as_zero():
    assert radius_m(6.0, -3_000.0, 5.5) == radius_m(6.0, 0.0, 5.5)


def test_the_m78_has_four_bands_worst_first_and_the_outer_one_is_only_possible():
    footprint = footprint_of(report())
    assert footprint is not None
    assert [(b.band, b.rank, b.possible_only) for b in footprint.bands] == [
        ("VIII", 4, False),
        ("VII", 3, False),
        ("VI", 2, False),
        ("possible", 1, True),
    ]
    radii = [radius_of(b.areas[0]) for b in footprint.bands]
    assert [round(r / 1000) for r in radii[2:]] == [269, 394]
    assert radii == sorted(radii)
    assert (footprint.estimated, footprint.verified, footprint.valid_s) == (True, True, 72 * 3600)


def test_a_small_or_deep_earthquake_has_the_bands_that_it_reaches_or_none():
    slight = footprint_of(report(magnitude=5.1))
    assert slight is not None
    assert [band.band for band in slight.bands] == ["VI", "possible"]
    nothing = footprint_of(report(magnitude=3.0))
    assert nothing is not None
    assert nothing.bands == ()
    deep = footprint_of(report(magnitude=6.0, depth_m=600_000.0))
    assert deep is not None
    assert deep.bands == ()


@pytest.mark.parametrize("missing", ["magnitude", "position"])
def test_an_earthquake_without_magnitude_or_position_has_no_known_area(missing):
    assert footprint_of(report(**{missing: None})) is None


# ------------------------------------------------------------------ given and radius
def test_what_the_source_draws_comes_before_every_model():
    areas = (Countries(codes=("TR",)),)
    footprint = footprint_of(report(areas=areas))
    assert footprint is not None
    (band,) = footprint.bands
    assert band == ("given", 2, areas, False)
    assert (footprint.model, footprint.estimated, footprint.verified) == ("given", False, True)


@pytest.mark.parametrize(
    ("hazard", "radius_km"),
    [
        (Hazard.VOLCANO, 30),
        (Hazard.CYCLONE, 300),
        (Hazard.FLOOD, 50),
        (Hazard.WILDFIRE, 20),
        (Hazard.TSUNAMI, 100),
    ],
)
def test_a_point_alone_gets_the_radius_of_its_hazard_marked_as_a_guess(hazard, radius_km):
    footprint = footprint_of(report(hazard=hazard))
    assert footprint is not None
    (band,) = footprint.bands
    assert (band.band, band.rank, band.possible_only) == ("radius", 2, False)
    assert radius_of(band.areas[0]) == radius_km * 1000
    assert (footprint.estimated, footprint.verified) == (True, False)
    assert footprint_of(report(hazard=hazard, position=None)) is None


@pytest.mark.parametrize(
    "hazard",
    [Hazard.DROUGHT, Hazard.HEALTH, Hazard.CONFLICT, Hazard.WEATHER, Hazard.OTHER],
)
def test_a_hazard_without_a_sensible_radius_has_no_known_area(hazard):
    assert footprint_of(report(hazard=hazard)) is None


# ------------------------------------------------------------------ every model
def test_every_module_is_registered_and_every_hazard_has_a_validity():
    modules = {m.name for m in pkgutil.iter_modules(geo.footprints.__path__)} - {"base"}
    assert modules == {model.name for model in FOOTPRINTS}
    assert set(VALID_S) == set(Hazard)


@pytest.mark.parametrize("lon_deg", [-180.0, 37.014, 179.99])
@pytest.mark.parametrize("lat_deg", [-89.9, 0.0, 65.0])
@pytest.mark.parametrize("hazard", [Hazard.EARTHQUAKE, Hazard.CYCLONE, Hazard.VOLCANO])
def test_every_band_holds_its_source_and_grows_with_the_magnitude(lon_deg, lat_deg, hazard):
    at = Position(lon_deg=lon_deg, lat_deg=lat_deg)
    last: dict[str, float] = {}
    for magnitude in (6.0, 7.0, 8.0):
        footprint = footprint_of(report(hazard=hazard, position=at, magnitude=magnitude))
        assert footprint is not None
        for band in footprint.bands:
            (circle,) = band.areas
            assert isinstance(circle, Circle)
            assert distance_m(circle.lon_deg, circle.lat_deg, lon_deg, lat_deg) == 0.0
            assert circle.radius_m >= last.get(band.band, 0.0)
            last[band.band] = circle.radius_m


@pytest.mark.parametrize(("magnitude", "drawn"), [(2.5, False), (4.9, False), (5.0, True)])
def test_below_the_range_of_the_relation_nothing_is_drawn(magnitude, drawn):
    shallow = footprint_of(report(magnitude=magnitude, depth_m=5_000.0))
    assert shallow is not None, "the area is known: nobody in it"
    assert bool(shallow.bands) is drawn
