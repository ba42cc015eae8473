"""Write geo/data/countries.json from npm's @rapideditor/country-coder.

Run once, by hand, when the reference data is to be renewed:

    python infra/data/build_countries.py geo/data/countries.json

Needs ``npm`` and a registry. Only the data file of the package is read; none
of its code runs. What is written, and how it differs from the source, stands
in geo/data/PROVENANCE.md.
"""

import hashlib
import json
import math
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import shapely
from shapely.geometry import shape

PACKAGE = "@rapideditor/country-coder"
VERSION = "5.6.1"
TARBALL_SHA256 = "6b13dfc427ed42a6d78da66eab6a0faf5969c0ccc23e59c1eb4d659592b4b6a6"
MEMBER = "package/src/data/borders.json"

SAHARA_LAT_DEG = 27.0 + 40.0 / 60.0
"""27 degrees 40 minutes north: the border of Morocco and Western Sahara. The
source counts the part west of the berm to Morocco; it becomes a unit of its
own here, so that the override table can decide."""


SEAM_DEG = 179.999
"""Beyond this a longitude is meant to be 180 (100 m at the equator)."""


def fetch_borders() -> dict[str, Any]:
    """Return the package's borders as GeoJSON; the tarball must be the pinned one."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is not installed; it fetches the package")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(  # noqa: S603 - fixed arguments, no shell
            [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder, check=True
        )
        tarball = next(Path(folder).glob("*.tgz"))
        digest = hashlib.sha256(tarball.read_bytes()).hexdigest()
        if digest != TARBALL_SHA256:
            sys.exit(f"{PACKAGE} {VERSION} has sha256 {digest}, expected {TARBALL_SHA256}")
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(MEMBER)
            if member is None:
                sys.exit(f"{MEMBER} is missing from the package")
            borders: dict[str, Any] = json.load(member)
    return borders


def is_official(properties: dict[str, Any]) -> bool:
    """Say whether a unit has a code of its own: ISO 3166-1, or XK for Kosovo."""
    return "iso1A2" in properties and properties.get("isoStatus") in {None, "usrAssn"}


def code_of(properties: dict[str, Any], official: dict[str, dict[str, Any]]) -> str | None:
    """Return the code a unit goes under before the override table speaks.

    Its own ISO code; else that of the territory it is part of (Bonaire: BQ,
    Svalbard: SJ); else its country's. None where there is no country.
    """
    if is_official(properties):
        return str(properties["iso1A2"])
    for group in properties.get("groups", []):
        if group in official and official[group].get("country"):
            return str(group)
    country: str | None = properties.get("country")
    return country


def to_seam(lon_deg: float) -> float:
    """Return a longitude, moved onto the cut at 180 degrees if almost there.

    Fiji and Chukotka are cut at 179.99999 and -179.99933 in the source; whoever
    stands in between would be nowhere.
    """
    rounded = round(lon_deg, 5)
    return math.copysign(180.0, rounded) if abs(rounded) > SEAM_DEG else rounded


def flat(geometry: shapely.Geometry) -> list[list[list[float]]]:
    """Return polygons as rings of lon, lat, lon, lat ... with 5 decimals (1 m)."""
    return [
        [
            [value for lon, lat in edge.coords for value in (to_seam(lon), round(lat, 5))]
            for edge in (part.exterior, *part.interiors)
        ]
        for part in shapely.get_parts(geometry)
    ]


def build(borders: dict[str, Any]) -> dict[str, Any]:
    """Return the content of countries.json."""
    features = borders["features"]
    official = {
        f["properties"]["iso1A2"]: f["properties"]
        for f in features
        if is_official(f["properties"]) and f["properties"]["iso1A2"].isalpha()
    }
    units = []
    for feature in features:
        if feature["geometry"] is None:
            continue
        properties = feature["properties"]
        unit = properties.get("iso1A2") or properties["wikidata"]
        whole = shape(feature["geometry"])
        pieces = {unit: whole}
        if unit == "MA":
            south = shapely.box(-30.0, 0.0, 0.0, SAHARA_LAT_DEG)
            pieces = {unit: whole.difference(south), "MA-EH": whole.intersection(south)}
        for name, geometry in pieces.items():
            multi = shapely.MultiPolygon(shapely.get_parts(geometry).tolist())
            units.append(
                {
                    "unit": name,
                    "code": code_of(properties, official),
                    "name": properties["nameEn"],
                    "polygons": flat(multi),
                }
            )
    return {
        "source": f"{PACKAGE} {VERSION}, ISC licence, see PROVENANCE.md",
        "alpha3": {
            code: official[code]["iso1A3"]
            for code in sorted(official)
            if "iso1A3" in official[code]
        },
        "units": sorted(units, key=lambda unit: unit["unit"]),
    }


if __name__ == "__main__":
    content = build(fetch_borders())
    target = Path(sys.argv[1])
    target.write_text(
        json.dumps(content, ensure_ascii=False, separators=(",", ":"), sort_keys=True) + "\n",
        encoding="utf-8",
    )
    print(f"{target}: {len(content['units'])} units, {target.stat().st_size} bytes")
