"""Areas of the stories: exact, few, and withheld so that few stays few."""

from streams.serving.wall_answers import Cell, WallArea

FEW, HIDDEN = Cell(mark="few"), Cell(mark="hidden")
Count = int | Cell

# code, name, longitude, latitude; known; unaccounted, needs help, safe, other
Place = tuple[str, str, float | None, float | None, Count, Count, Count, Count, Count]

PLACES: tuple[Place, ...] = (
    ("TR-31", "Hatay", 36.2, 36.3, 202, 92, 14, 90, 6),
    ("TR-46", "Kahramanmaraş", 36.9, 37.75, 141, 61, 9, 66, 5),
    ("TR-27", "Gaziantep", 37.35, 36.95, 278, 58, 6, 204, 10),
    ("TR-01", "Adana", 35.4, 37.2, 233, 29, FEW, 190, HIDDEN),
    ("TR-44", "Malatya", 38.2, 38.4, 89, 27, FEW, 58, FEW),
    ("TR-02", "Adıyaman", 38.3, 37.75, 61, 24, FEW, 31, FEW),  # noqa: RUF001 - the Turkish dotless letter is meant
    ("TR-63", "Şanlıurfa", 38.95, 37.25, 103, 20, FEW, 80, FEW),  # noqa: RUF001 - the Turkish dotless letter is meant
    ("TR-33", "Mersin", 34.5, 36.75, 68, 8, 0, 60, 0),
    ("TR-80", "Osmaniye", 36.25, 37.1, 38, HIDDEN, FEW, 29, 0),
    ("SY-HL", "Aleppo", 37.2, 36.2, FEW, FEW, 0, FEW, 0),
    ("TR", "Türkiye", 35.0, 39.1, 105, FEW, 0, HIDDEN, 0),
    ("", "", None, None, FEW, 0, 0, 0, FEW),
)  # fmt: skip


def _cell(count: Count) -> Cell:
    return count if isinstance(count, Cell) else Cell(count=count)


def _area(place: Place) -> WallArea:
    code, name, lon_deg, lat_deg, *counts = place
    known, unaccounted, needs_help, safe, other = (_cell(count) for count in counts)
    return WallArea(
        code=code,
        name=name,
        country=code[:2],
        lon_deg=lon_deg,
        lat_deg=lat_deg,
        known=known,
        unaccounted=unaccounted,
        needs_help=needs_help,
        safe=safe,
        other=other,
    )


QUAKE_AREAS = tuple(_area(place) for place in PLACES)
MANILA = _area(("PH-00", "Metro Manila", 121.0, 14.6, 64, 50, 0, 14, 0))
