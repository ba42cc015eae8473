// Our own small SVG: trend, ring. Pure functions from numbers to markup.

import { COLORS } from './basemap.mjs';
import { shown, weights } from './figures.mjs';

const SPAN_MS = 3 * 3600 * 1000;
const BUCKETS = ['unaccounted', 'needs_help', 'safe', 'other'];
const fixed = (value) => Number(value.toFixed(1));

/** The smallest round number of 1, 2, 4, 6 or 8 times a power of ten that holds `top`. */
export function roundTop(top) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, top)));
  const step = [1, 1.5, 2, 3, 4, 6, 8, 10].find((times) => times * power >= top) ?? 10;
  return Math.max(3, step * power);
}

/** Points of the last three hours as of `now_ms`, oldest first. */
export function recent(trend, now_ms) {
  return trend
    .map((point) => ({ at_ms: Date.parse(point.at), value: point.unaccounted }))
    .filter((point) => point.at_ms >= now_ms - SPAN_MS && point.at_ms <= now_ms + 60_000)
    .sort((one, other) => one.at_ms - other.at_ms);
}

/** The trend of unaccounted over three hours; null with fewer than two points. */
export function trendSvg(trend, now_ms, { figure, ticks, label, width = 470, height = 150 }) {
  const points = recent(trend, now_ms);
  if (points.length < 2) return null;
  const [left, right, top, bottom] = [66, 14, 10, 24];
  const high = roundTop(Math.max(...points.map((point) => point.value)));
  const x = (at_ms) => fixed(left + ((at_ms - (now_ms - SPAN_MS)) / SPAN_MS) * (width - left - right));
  const y = (value) => fixed(height - bottom - (value / high) * (height - top - bottom));
  const line = points.map((point) => `${x(point.at_ms)},${y(point.value)}`).join(' ');
  const last = points.at(-1);
  const grid = (height < 110 ? [0, high] : [0, high / 2, high])
    .map((value) => `<line x1="${left}" x2="${width - right}" y1="${y(value)}" y2="${y(value)}" class="grid"/><text x="${left - 10}" y="${y(value) + 6}" text-anchor="end">${figure(Math.round(value))}</text>`)
    .join('');
  const hours = ticks
    .map((text, at) => `<text x="${x(now_ms - SPAN_MS + (at * SPAN_MS) / 3)}" y="${height - 4}" text-anchor="${at === 0 ? 'start' : at === 3 ? 'end' : 'middle'}">${text}</text>`)
    .join('');
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${label}" preserveAspectRatio="none">${grid}<polygon points="${x(points[0].at_ms)},${y(0)} ${line} ${x(last.at_ms)},${y(0)}" fill="${COLORS.unaccounted}" fill-opacity=".18"/><polyline points="${line}" fill="none" stroke="${COLORS.unaccounted}" stroke-width="3.5" stroke-linejoin="round" vector-effect="non-scaling-stroke"/><circle cx="${x(last.at_ms)}" cy="${y(last.value)}" r="6" fill="${COLORS.unaccounted}" stroke="#fff" stroke-width="1.5"/>${hours}</svg>`;
}

/** Radius of a ring in pixels: 21 to 46 by the root of its people; withheld: 21. */
export function radius(area, most) {
  if (!most) return 21;
  return Math.round(21 + 25 * Math.sqrt(Math.min(1, shown(area).count / most)));
}

/** A ring of one area; withheld cells take a fixed part, whatever they hide. */
export function ringSvg(area, size) {
  const cells = BUCKETS.map((bucket) => area[bucket]);
  const parts = area.known.mark === 'few' ? null : weights(cells);
  const thick = Math.max(7, size * 0.24);
  const middle = size - thick / 2;
  const around = 2 * Math.PI * middle;
  const circle = (color, part, from) =>
    `<circle r="${fixed(middle)}" fill="none" stroke="${color}" stroke-width="${fixed(thick)}" stroke-dasharray="${fixed(Math.max(0, part * around - 1.5))} ${fixed(around)}" stroke-dashoffset="${fixed(-from * around)}" transform="rotate(-90)"/>`;
  let from = 0;
  const arcs = parts === null
    ? `<circle r="${fixed(middle)}" fill="none" stroke="${COLORS.withheld}" stroke-width="${fixed(thick)}" stroke-dasharray="4 3"/>`
    : parts.map((part, at) => {
      const arc = part > 0 ? circle(COLORS[BUCKETS[at]], part, from) : '';
      from += part;
      return arc;
    }).join('');
  const edge = size + 2;
  return `<svg viewBox="${-edge} ${-edge} ${2 * edge} ${2 * edge}" aria-hidden="true"><circle r="${edge}" fill="#060d16"/>${arcs}<circle r="${fixed(size - thick)}" fill="#0b1623"/></svg>`;
}

/** A bar of one area in percent by bucket; null where nothing of it may be drawn. */
export function barParts(area) {
  const parts = weights(BUCKETS.map((bucket) => area[bucket]), 0.08);
  return parts === null ? null : BUCKETS.map((bucket, at) => ({ bucket, percent: fixed(100 * parts[at]) }));
}
