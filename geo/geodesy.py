"""Distances, destinations and circles on the WGS 84 ellipsoid.

Geodesics by PROJ (Karney 2013, "Algorithms for geodesics", J. Geodesy 87),
exact to nanometres. Degrees in, degrees out; longitudes in [-180, 180].
"""

import math

import antimeridian
import numpy as np
import numpy.typing as npt
import pyproj
import shapely

from geo.shapes import polygons_of
from schemas.place import Circle, Polygons

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

EARTH = pyproj.Geod(ellps="WGS84")

R_MIN_M = 6_335_439.0
"""Smallest radius of curvature of WGS 84 (of the meridian, at the equator)."""

SLACK_M = 0.1
"""Added to every reach, far above the rounding of degrees (1e-9 m)."""

EDGE_M = 20_000.0
"""Longest edge of shapes that we draw; a straight edge in lon/lat of this
length leaves the geodesic by 8 m at 45 degrees (reference/geo.md, 4)."""


def distance_m(lon1: float, lat1: float, lon2: float, lat2: float) -> float:
    """Return the geodesic distance of two points in metres."""
    return float(EARTH.inv(lon1, lat1, lon2, lat2)[2])


def distances_m(lon0: float, lat0: float, lons: Floats, lats: Floats) -> Floats:
    """Return geodesic distances in metres from one point to n points, shape (n,)."""
    lons = np.asarray(lons, np.float64)
    lats = np.asarray(lats, np.float64)
    return pairwise_m(np.full(lons.shape, lon0), np.full(lons.shape, lat0), lons, lats)


def pairwise_m(lons1: Floats, lats1: Floats, lons2: Floats, lats2: Floats) -> Floats:
    """Return geodesic distances in metres between points i and i, shape (n,)."""
    if lons1.size == 0:
        return np.zeros(0)
    return np.asarray(EARTH.inv(lons1, lats1, lons2, lats2)[2], np.float64)


def destination(
    lon: float, lat: float, azimuth_deg: float, distance_m: float
) -> tuple[float, float]:
    """Return (lon, lat) of the point ``distance_m`` away along ``azimuth_deg``."""
    lon2, lat2, _ = EARTH.fwd(lon, lat, azimuth_deg, distance_m)
    return float(lon2), float(lat2)


def ring(lon: float, lat: float, radius_m: float, n: int = 128) -> list[tuple[float, float]]:
    """Return the closed ring of n points around a geodesic circle.

    Circumscribed: the points lie at radius / cos(pi / n), so that the circle
    lies inside. Counter-clockwise, not cut at 180 degrees, n + 1 points.
    """
    azimuths = np.arange(n) * (-360.0 / n)
    reach = np.full(n, radius_m / math.cos(math.pi / n))
    lons, lats, _ = EARTH.fwd(np.full(n, lon), np.full(n, lat), azimuths, reach)
    points = list(zip(lons.tolist(), lats.tolist(), strict=True))
    return [*points, points[0]]


def circle_polygons(circle: Circle) -> Polygons:
    """Return a circle as polygons cut at 180 degrees, closed over the poles.

    For drawing, export and country contact; edges of at most 20 km. Never
    for membership: that is a distance (``geo.join``).
    """
    n = max(128, math.ceil(2.0 * math.pi * circle.radius_m / EDGE_M))
    rim = shapely.Polygon(ring(circle.lon_deg, circle.lat_deg, circle.radius_m, n))
    fixed = antimeridian.fix_polygon(rim, fix_winding=True)
    return polygons_of(fixed)


def reach_box(lats: Floats, reach_m: Floats) -> tuple[Floats, Floats, Floats]:
    """Return boxes that hold every point within ``reach_m`` of n points.

    Three arrays of shape (n,): half width in degrees of longitude (180 where
    a pole is within reach), southern and northern latitude. Not wrapped: the
    longitudes from lon - half to lon + half may pass 180. Never too narrow,
    at most 0.7 % too wide: equal latitudes and longitudes lie closer on the
    sphere of the smallest radius of curvature than on the ellipsoid, so the
    cap of that sphere holds all that is in reach.
    """
    angle = (np.asarray(reach_m, np.float64) + SLACK_M) / R_MIN_M
    dlat = np.degrees(angle)
    south, north = lats - dlat, lats + dlat
    polar = (south <= -90.0) | (north >= 90.0)
    # The widest meridian that touches a spherical cap: sin(dlon) = sin(angle) / cos(lat).
    cap = np.where(polar, 0.0, angle)
    half = np.degrees(np.arcsin(np.sin(cap) / np.cos(np.radians(np.where(polar, 0.0, lats)))))
    return np.where(polar, 180.0, half), np.maximum(south, -90.0), np.minimum(north, 90.0)
