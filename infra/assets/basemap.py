"""Makes the map that needs no network: world-atlas to vector tiles and labels.

Layers of ``world.pmtiles`` (zoom 0 to 7): ``countries`` and ``labels`` with
``id`` (ISO 3166-1 numeric), ``code`` (alpha-2) and ``name``, both empty where
ISO has none; ``borders``; ``coast``. What has no code (a buffer zone, a reef)
bears no label. Which state a disputed area is drawn in follows Natural Earth;
a ministry that draws it otherwise replaces the file.
"""

import csv
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pycountry
import seam
import shapely
import topology
from shapely.geometry import shape

ATTRIBUTION = "Natural Earth"
MAX_ZOOM = 7
LABEL_ZOOMS = ((400.0, 0), (40.0, 2), (8.0, 3), (1.0, 4), (0.0, 5))
"""From this area of the biggest part on (square degrees), and the zoom of the label."""

USER_CODES = {"Kosovo": "XK"}
"""What ISO leaves to its users, as geo/data/countries.json has it."""

Feature = dict[str, Any]


def build(atlas: Path, cities: Path, work: Path, out: Path) -> None:
    """Write ``world.pmtiles`` and ``places.geojson`` into ``out``."""
    source = json.loads((atlas / "countries-10m.json").read_text(encoding="utf-8"))
    arcs = topology.arcs_of(source)
    objects = source["objects"]
    geometries = objects["countries"]["geometries"]
    lines = topology.lines_of(geometries, arcs)
    layers = {
        "countries": [found for geometry in geometries if (found := country(geometry, arcs))],
        "borders": [feature("MultiLineString", seam.cut_lines(lines.borders))],
        "coast": [feature("MultiLineString", seam.cut_lines(lines.coasts))],
    }
    layers["labels"] = list(labels(layers["countries"]))
    files = [write(work / f"{name}.geojson", features) for name, features in layers.items()]
    tile(files, out / "world.pmtiles")
    write(out / "places.geojson", list(places(cities)))


def feature(kind: str, coordinates: Any, properties: dict[str, Any] | None = None) -> Feature:
    """Return a GeoJSON feature."""
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "properties": properties or {}, "geometry": geometry}


def country(geometry: dict[str, Any], arcs: list[topology.Line]) -> Feature | None:
    """Return a country with its codes; the names are the source's, in English.

    None for a reef that the source's grid has left nothing of.
    """
    polygons = seam.cut_polygons(topology.polygons_of(geometry, arcs))
    if not polygons:
        return None
    number = geometry.get("id", "")
    name = geometry["properties"]["name"]
    known = pycountry.countries.get(numeric=number) if number else None
    said = {
        "id": number,
        "code": known.alpha_2 if known else USER_CODES.get(name, ""),
        "name": name,
    }
    return feature("MultiPolygon", polygons, said)


def labels(countries: Iterable[Feature]) -> Iterator[Feature]:
    """Yield a point in the thick of each country's biggest part."""
    for found in countries:
        whole = shapely.make_valid(shape(found["geometry"]), method="structure")
        if whole.area == 0 or not found["properties"]["code"]:
            continue  # a reef that the source's grid has left no area of, a buffer zone
        biggest = max(shapely.get_parts(whole), key=shapely.area)
        circle = shapely.maximum_inscribed_circle(biggest.simplify(0.02), tolerance=0.2)
        lon_deg, lat_deg = circle.coords[0]
        zoom = next(zoom for area, zoom in LABEL_ZOOMS if biggest.area >= area)
        point = feature("Point", [round(lon_deg, 3), round(lat_deg, 3)], found["properties"])
        yield {**point, "tippecanoe": {"minzoom": zoom}}


def places(cities: Path) -> Iterator[Feature]:
    """Yield the cities that the register's places are named by."""
    with cities.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            at = [float(row["lon_deg"]), float(row["lat_deg"])]
            said = {"name": row["name"], "country": row["country"], "admin1": row["admin1"]}
            yield feature("Point", at, said)


def write(path: Path, features: list[Feature]) -> Path:
    """Write features as a collection."""
    whole = {"type": "FeatureCollection", "features": features}
    path.write_text(json.dumps(whole, ensure_ascii=False), encoding="utf-8")
    return path


def tile(layers: list[Path], out: Path) -> None:
    """Cut the layers into tiles; each keeps its file's name."""
    beside = str(Path(sysconfig.get_path("scripts")))
    tippecanoe = shutil.which("tippecanoe", path=beside) or shutil.which("tippecanoe")
    if tippecanoe is None:
        sys.exit("tippecanoe is not installed; `make setup` does that")
    options = f"-Z0 -z{MAX_ZOOM} -r1 --no-feature-limit --no-tile-size-limit".split()
    options += ["--quiet", "--force", "--attribution", ATTRIBUTION, "--name", "world"]
    named = [part for path in layers for part in ("-L", f"{path.stem}:{path}")]
    subprocess.run([tippecanoe, *options, "-o", out, *named], check=True)  # noqa: S603 - fixed arguments, no shell
