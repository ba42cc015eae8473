"""What a map really shows: pixels, not the presence of a canvas."""

import io

import numpy as np
from PIL import Image
from playwright.sync_api import Page

CANVAS = """() => {
  const within = (root) => [...root.querySelectorAll('*')].flatMap((one) => [
    ...(one.tagName === 'CANVAS' ? [one] : []),
    ...(one.shadowRoot ? within(one.shadowRoot) : []),
  ]);
  return within(document)[0] ?? null;
}"""

ALONE = """(canvas) => {
  const others = [];
  for (let one = canvas; one.parentElement; one = one.parentElement) {
    others.push(...[...one.parentElement.children].filter((other) => other !== one));
  }
  canvas.others = others.map((other) => [other, other.style.visibility]);
  for (const other of others) other.style.visibility = 'hidden';
}"""
AMONG_OTHERS = """(canvas) => {
  for (const [other, was] of canvas.others) other.style.visibility = was;
  delete canvas.others;
}"""


def drawn_share(page: Page) -> float:
    """Return the share of the map's pixels on which something is drawn.

    Its most common colour is the ground on which the rest is drawn, so it is
    0 for a canvas that is gone, empty or of one colour. What lies over the
    canvas is hidden while its picture is taken.
    """
    canvas = page.evaluate_handle(CANVAS).as_element()
    if canvas is None:
        return 0.0
    place = canvas.bounding_box()
    if place is None:
        return 0.0
    canvas.evaluate(ALONE)
    picture = page.screenshot(clip=place)
    canvas.evaluate(AMONG_OTHERS)
    canvas.dispose()
    pixels = np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")).reshape(-1, 3)
    _, counts = np.unique(pixels, axis=0, return_counts=True)
    return 1.0 - float(counts.max()) / len(pixels)
