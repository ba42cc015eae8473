"""The files that pages fetch: our own modules, and what `make assets` installed."""

import mimetypes
from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).with_name("static")
NEEDED = ("maplibre-gl.mjs", "pmtiles.mjs", "world.pmtiles")

TYPES = {
    ".geojson": "application/geo+json",
    ".mjs": "text/javascript",
    ".pmtiles": "application/vnd.pmtiles",
    ".woff2": "font/woff2",
}
"""What Python's own table may lack; a browser refuses a module without a type."""


class Assets(StaticFiles):
    """Looks a path up in several folders; answers parts of a file (HTTP Range).

    With ``?v=`` a file may be kept for ever; without it, it is asked for anew
    each time, which costs a 304.
    """

    def __init__(self, *folders: Path) -> None:
        """Serve these folders; one that is not there yet holds nothing."""
        for suffix, kind in TYPES.items():
            mimetypes.add_type(kind, suffix)
        super().__init__(directory=folders[0], check_dir=False)
        self.all_directories = list(folders)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return the file with how long it may be kept."""
        response = await super().get_response(path, scope)
        versioned = any(part.startswith(b"v=") for part in scope["query_string"].split(b"&"))
        kept = "public, max-age=31536000, immutable" if versioned else "no-cache"
        response.headers["Cache-Control"] = kept
        return response


def assets() -> Assets:
    """Return what stands under ``/assets``; the map stands directly under it too."""
    return Assets(STATIC, STATIC / "vendor")


def assets_present(static: Path = STATIC) -> bool:
    """Return whether `make assets` has been here."""
    return all((static / "vendor" / name).is_file() for name in NEEDED)
