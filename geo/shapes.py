"""Polygons of our messages as shapely geometries, and back."""

import shapely
from shapely.geometry.base import BaseGeometry

from schemas.place import Polygons


def to_shapely(area: Polygons) -> shapely.MultiPolygon:
    """Return the geometry of a message's polygons, coordinates unchanged."""
    return shapely.MultiPolygon([shapely.Polygon(shell, holes) for shell, *holes in area.polygons])


def polygonal(geometry: BaseGeometry) -> list[shapely.Polygon]:
    """Return the polygons in any geometry; lines and points fall away."""
    parts = shapely.get_parts(shapely.get_parts(geometry))
    return [part for part in parts if isinstance(part, shapely.Polygon) and not part.is_empty]


def polygons_of(geometry: BaseGeometry) -> Polygons:
    """Return the message of a geometry's polygons, wound as RFC 7946 wants."""
    return Polygons(
        polygons=tuple(
            tuple(
                tuple((float(x), float(y)) for x, y in edge.coords)
                for edge in (part.exterior, *part.interiors)
            )
            for part in (shapely.orient_polygons(p) for p in polygonal(geometry))
        )
    )
