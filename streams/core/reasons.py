"""Why someone is flagged: the parts as data, and one sentence made of them.

The sentence is made at the edge, from the parts an exposure carries, in the
working languages of the crisis centre.
"""

from datetime import date

from geo.geodesy import distance_m
from schemas.codelists import Basis, Precision
from schemas.exposure import Reason
from streams.core.exposure import Hit
from streams.core.presence import admin1_of

LANGUAGES = ("en", "fr", "nl", "de")

BASIS: dict[str, dict[Basis, str]] = {
    "en": {
        Basis.FRESH_FIX: "position of {as_of}",
        Basis.OLD_FIX: "last position, of {as_of}",
        Basis.STATED_PLACE: "place stated on {as_of}: {place}",
        Basis.STAY: "itinerary {precision} {place}{dates}",
        Basis.RESIDENCE: "residence {place}",
    },
    "fr": {
        Basis.FRESH_FIX: "position du {as_of}",
        Basis.OLD_FIX: "dernière position, du {as_of}",
        Basis.STATED_PLACE: "lieu déclaré le {as_of} : {place}",
        Basis.STAY: "itinéraire, {precision} {place}{dates}",
        Basis.RESIDENCE: "résidence {place}",
    },
    "nl": {
        Basis.FRESH_FIX: "positie van {as_of}",
        Basis.OLD_FIX: "laatste positie, van {as_of}",
        Basis.STATED_PLACE: "plaats opgegeven op {as_of}: {place}",
        Basis.STAY: "reisroute, {precision} {place}{dates}",
        Basis.RESIDENCE: "woonplaats {place}",
    },
    "de": {
        Basis.FRESH_FIX: "Position vom {as_of}",
        Basis.OLD_FIX: "letzte Position, vom {as_of}",
        Basis.STATED_PLACE: "Ortsangabe vom {as_of}: {place}",
        Basis.STAY: "Reiseroute, {precision} {place}{dates}",
        Basis.RESIDENCE: "Wohnsitz {place}",
    },
}

PRECISION: dict[str, dict[Precision, str]] = {
    "en": {
        Precision.POINT: "point",
        Precision.ADDRESS: "address",
        Precision.CITY: "city",
        Precision.ADMIN1: "region",
        Precision.COUNTRY: "country",
    },
    "fr": {
        Precision.POINT: "point",
        Precision.ADDRESS: "adresse",
        Precision.CITY: "ville",
        Precision.ADMIN1: "région",
        Precision.COUNTRY: "pays",
    },
    "nl": {
        Precision.POINT: "punt",
        Precision.ADDRESS: "adres",
        Precision.CITY: "stad",
        Precision.ADMIN1: "regio",
        Precision.COUNTRY: "land",
    },
    "de": {
        Precision.POINT: "Punkt",
        Precision.ADDRESS: "Adresse",
        Precision.CITY: "Stadt",
        Precision.ADMIN1: "Region",
        Precision.COUNTRY: "Land",
    },
}

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "distance": "{km} km from the centre of {title}",
        "inside": "inside {band} footprint v{version}",
        "may_be": "may be inside {band} footprint v{version} (P {p})",
        "touches": "{band} footprint v{version} touches the country",
        "precision": "{precision}-level precision",
        "estimated": "estimated",
        "from": "from {first}",
        "dates": "{first} to {last}",
    },
    "fr": {
        "distance": "à {km} km du centre de {title}",
        "inside": "dans la zone {band}, version {version}",
        "may_be": "peut-être dans la zone {band}, version {version} (probabilité {p})",
        "touches": "la zone {band}, version {version}, touche le pays",
        "precision": "précision : {precision}",
        "estimated": "estimée",
        "from": "à partir du {first}",
        "dates": "du {first} au {last}",
    },
    "nl": {
        "distance": "op {km} km van het centrum van {title}",
        "inside": "binnen zone {band}, versie {version}",
        "may_be": "mogelijk binnen zone {band}, versie {version} (kans {p})",
        "touches": "zone {band}, versie {version}, raakt het land",
        "precision": "nauwkeurigheid: {precision}",
        "estimated": "geschat",
        "from": "vanaf {first}",
        "dates": "van {first} tot en met {last}",
    },
    "de": {
        "distance": "{km} km vom Zentrum von {title} entfernt",
        "inside": "innerhalb der Zone {band}, Version {version}",
        "may_be": "möglicherweise innerhalb der Zone {band}, Version {version}"
        " (Wahrscheinlichkeit {p})",
        "touches": "Zone {band}, Version {version}, berührt das Land",
        "precision": "Genauigkeit: {precision}",
        "estimated": "geschätzt",
        "from": "ab dem {first}",
        "dates": "vom {first} bis zum {last}",
    },
}


def reason_of(hit: Hit) -> Reason:
    """Return the parts of the reason behind a match."""
    zone, belief = hit.version.zone, hit.belief
    spot, term = belief.spot, belief.term
    distance: int | None = None
    if spot.point and zone.centre_lon_deg is not None and zone.centre_lat_deg is not None:
        distance = round(distance_m(*spot.point, zone.centre_lon_deg, zone.centre_lat_deg))
    return Reason(
        basis=belief.basis,
        precision=spot.precision,
        as_of=belief.as_of,
        zone_id=zone.zone_id,
        zone_version=zone.version,
        band=zone.band,
        cause_title=zone.title,
        model=zone.model,
        place_name=spot.name,
        country=spot.country,
        from_date=term.from_date if term else None,
        to_date=term.to_date if term else None,
        radius_m=round(spot.radius_m) if spot.point else None,
        distance_m=distance,
        p_inside=hit.p_inside,
        estimated=zone.estimated,
        lon_deg=round(spot.point[0], 5) if spot.point else None,
        lat_deg=round(spot.point[1], 5) if spot.point else None,
        admin1=admin1_of(spot),
    )


def sentence(reason: Reason, language: str) -> str:
    """Return "why flagged" in one sentence; ``language`` is one of LANGUAGES."""
    words, precisions = WORDS[language], PRECISION[language]
    dates = ""
    if reason.from_date and reason.to_date:
        span = words["dates"].format(first=_day(reason.from_date), last=_day(reason.to_date))
        dates = f", {span}"
    elif reason.from_date:
        dates = ", " + words["from"].format(first=_day(reason.from_date))
    precision = precisions[reason.precision]
    parts = [
        BASIS[language][reason.basis].format(
            as_of=f"{reason.as_of:%Y-%m-%d %H:%M} UTC",
            place=reason.place_name or reason.country or "?",
            precision=precision,
            dates=dates,
        )
    ]
    if reason.distance_m is not None:
        km = round(reason.distance_m / 1000)
        parts.append(words["distance"].format(km=km, title=reason.cause_title))
    key = "touches" if reason.p_inside is None else "inside"
    if reason.p_inside is not None and reason.p_inside < 1.0:
        key = "may_be"
    p_inside = str(reason.p_inside).replace(".", "." if language == "en" else ",")
    inside = words[key].format(band=reason.band, version=reason.zone_version, p=p_inside)
    parts.append(f"{inside} ({words['estimated']})" if reason.estimated else inside)
    parts.append(words["precision"].format(precision=precision))
    return ", ".join(parts)


def _day(day: date) -> str:
    return f"{day.day}.{day.month}.{day.year}"
