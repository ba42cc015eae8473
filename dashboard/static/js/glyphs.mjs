// The shapes that say what colours say: ? ! check, dot triangle cross, star.

import { COLORS } from './basemap.mjs';

const box = (inner, label = '') =>
  `<svg class="glyph" viewBox="0 0 24 24" ${label ? `role="img" aria-label="${label}"` : 'aria-hidden="true"'}>${inner}</svg>`;

/** Glyphs of the four numbers. */
export const BUCKETS = Object.freeze({
  unaccounted: box(`<circle cx="12" cy="12" r="11" fill="${COLORS.unaccounted}"/><path d="M8.6 9.4a3.4 3.4 0 1 1 5 3c-1.1.6-1.6 1.1-1.6 2.3" fill="none" stroke="#0c1826" stroke-width="2.6" stroke-linecap="round"/><circle cx="12" cy="18" r="1.6" fill="#0c1826"/>`),
  needs_help: box(`<path d="M12 1.5 23.3 22H.7Z" fill="${COLORS.needs_help}" stroke="${COLORS.needs_help}" stroke-linejoin="round"/><path d="M12 8.6v6.4" stroke="#fff" stroke-width="2.8" stroke-linecap="round"/><circle cx="12" cy="18.6" r="1.6" fill="#fff"/>`),
  safe: box(`<rect x="1" y="1" width="22" height="22" rx="5" fill="${COLORS.safe}"/><path d="m6.5 12.4 4 4 7.4-8.4" fill="none" stroke="#06203a" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/>`),
  other: box(`<path d="M12 1 23 12 12 23 1 12Z" fill="${COLORS.other}"/><path d="M7.5 12h9" stroke="#0c1826" stroke-width="2.6" stroke-linecap="round"/>`),
});

/** Glyphs of states: shape and colour both say it. */
export const STATES = Object.freeze({
  ok: box('<circle cx="12" cy="12" r="8" fill="#35d29a"/>'),
  late: box('<path d="M12 2.5 22.5 21h-21Z" fill="#ff9a3c"/>'),
  suspect: box('<path d="M12 2.5 22.5 21h-21Z" fill="none" stroke="#ff9a3c" stroke-width="3" stroke-linejoin="round"/>'),
  down: box('<path d="m5 5 14 14M19 5 5 19" stroke="#ff5a4c" stroke-width="5" stroke-linecap="round"/>'),
  unknown: box('<circle cx="12" cy="12" r="8" fill="none" stroke="#9fb4c8" stroke-width="3" stroke-dasharray="4 3"/>'),
});

const STAR = '12 1.5 15 8.9 23 9.5 16.9 14.6 18.8 22.4 12 18.2 5.2 22.4 7.1 14.6 1 9.5 9 8.9';

/** Marks of the map that are no people. */
export const MARKS = Object.freeze({
  epicentre: box(`<polygon points="${STAR}" fill="#fff" stroke="${COLORS.epicentre}" stroke-width="2.4" stroke-linejoin="round"/>`),
  country: box(`<rect x="2" y="2" width="20" height="20" rx="3" fill="#0c1826" stroke="#c9d7e5" stroke-width="2.4"/>`),
  band: box('<rect x="1" y="5" width="22" height="14" fill="#f0582a55" stroke="#f0582a" stroke-width="2"/>'),
  possible: box('<rect x="1" y="5" width="22" height="14" fill="#b99a3c22" stroke="#b99a3c" stroke-width="2" stroke-dasharray="5 3"/>'),
  ring: box(`<circle cx="12" cy="12" r="8.5" fill="none" stroke="${COLORS.safe}" stroke-width="5"/><path d="M12 3.5a8.5 8.5 0 0 1 8.5 8.5" fill="none" stroke="${COLORS.unaccounted}" stroke-width="5"/>`),
});
