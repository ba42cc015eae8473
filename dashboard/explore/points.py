"""The map of the analyst's page: a component over the offline basemap."""

import hashlib
from typing import Any

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import streamlit as st

from dashboard.explore import figures
from dashboard.explore.labels import Labels
from dashboard.words import Words
from streams.serving.kinds import Kind
from streams.serving.narrow import features

HTML = """
<div class="points" role="figure">
  <div class="map"></div>
  <ul class="legend" hidden></ul>
  <div class="tip" hidden></div>
  <p class="failed" role="alert" hidden></p>
</div>
"""
CSS = """
.points { position: relative; height: 560px; border: 1px solid #1d3044; border-radius: 10px;
  overflow: hidden; background: #07111c; font-size: 14px; color: #eef4fa; }
.map { width: 100%; height: 100%; }
.legend { position: absolute; left: 12px; bottom: 12px; margin: 0; padding: 8px 12px;
  list-style: none; background: #0c1826e6; border: 1px solid #1d3044; border-radius: 8px; }
.legend[hidden], .tip[hidden], .failed[hidden] { display: none; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 50%;
  margin-right: 8px; }
.tip { position: absolute; left: 0; top: 0; padding: 4px 8px; background: #0c1826;
  border: 1px solid #3d566f; border-radius: 6px; pointer-events: none; white-space: nowrap; }
.failed { position: absolute; inset: 0; margin: 0; padding: 24px; background: #07111ccc; }
"""
JS = """
const module = new URL('/assets/js/points.mjs', document.baseURI);
export default function (component) {
  let end = null;
  let gone = false;
  import(module).then(({ show }) => {
    if (!gone) end = show(component);
  });
  return () => { gone = true; end?.(); };
}
"""


def draw_map(
    rows: pa.Table, kind: Kind, color_by: str | None, words: Words, labels: Labels
) -> None:
    """Draw the places of rows, and say how many are not on the map."""
    if kind.place == "area":
        shown = rows.slice(0, figures.MOST_POINTS)
        data: dict[str, Any] = {"areas": features(shown)}
        left, without = rows.num_rows - shown.num_rows, 0
    else:
        data = figures.points(rows, color_by, _name(kind), labels.value)
        left, without = data.pop("left"), data.pop("without")
    version = hashlib.blake2b(msgspec.json.encode(data), digest_size=8).hexdigest()
    more = {"version": version, "language": words.language, "failed": words["map_failed"]}
    # Mounted by its name each run: Streamlit keeps the component, and the map in it.
    component = st.components.v2.component("rollcall_points", html=HTML, css=CSS, js=JS)
    component(data={**data, **more}, key=f"map_{kind.name}")
    if without:
        st.caption(words("map_without", count=without))
    if left:
        st.caption(words("map_left", left=left, most=figures.MOST_POINTS))


def _name(kind: Kind) -> str:
    return "incident_id" if kind.name == "incidents" else "person_id"
