// Figures and words as text: pure, no page. Unknown is a dash, never 0.

export const UNKNOWN = '—';
const LOCALES = { en: 'en-GB', fr: 'fr-BE', nl: 'nl-BE', de: 'de-BE' };
const MINUTE_S = 60;
const HOUR_S = 3600;
const DAY_S = 86_400;

/** The locale figures are written in for a language of ours. */
export const localeOf = (language) => LOCALES[language] ?? 'en-GB';

/**
 * What says things in one language: `say(key, fields)`, `figure(n)`, `age(s)`.
 *
 * A key nobody translated shows as the key itself, so that it is seen.
 */
export function speaker(words, language) {
  const numbers = new Intl.NumberFormat(localeOf(language), { useGrouping: 'always' });
  const decimals = new Intl.NumberFormat(localeOf(language), {
    minimumFractionDigits: 1, maximumFractionDigits: 1,
  });
  const say = (key, fields = {}) =>
    (words[key] ?? key).replace(/\{(\w+)\}/g, (hole, name) => fields[name] ?? hole);
  const figure = (count) =>
    count === null || count === undefined ? UNKNOWN : numbers.format(count);
  const has = (key) => words[key] !== undefined;
  return {
    say, figure, has, language, locale: localeOf(language),
    decimal: (value) => (value === null || value === undefined ? UNKNOWN : decimals.format(value)),
    or: (key, otherwise) => (has(key) ? words[key] : otherwise),
    cell: (cell) => cellText(cell, figure),
    age: (seconds) => ageText(seconds, say),
  };
}

/** A figure of a breakdown, or the sign under which it is withheld. */
export function cellText(cell, figure) {
  if (cell.mark === 'few') return '<5';
  if (cell.mark === 'hidden') return '…';
  return figure(cell.count);
}

/**
 * People of an area as far as they are shown: its total, or what its shown parts add up to.
 * A total is withheld where it would give a small part away; then there are at least so many.
 */
export function shown(area) {
  if (area.known.mark === 'exact') return { count: area.known.count ?? 0, whole: true };
  const parts = [area.unaccounted, area.needs_help, area.safe, area.other];
  const count = parts.reduce((sum, cell) => sum + (cell.mark === 'exact' ? cell.count ?? 0 : 0), 0);
  return { count: area.known.mark === 'hidden' ? count : 0, whole: false };
}

/** The total of an area in a few signs: 120, 118+, <5. */
export function totalText(area, figure) {
  const { count, whole } = shown(area);
  return whole || count === 0 ? cellText(area.known, figure) : `${figure(count)}+`;
}

/** Seconds from an instant until `now_ms`; null where either is not known. */
export const agoS = (now_ms, text) =>
  (now_ms === null || text === null || text === undefined ? null : (now_ms - Date.parse(text)) / 1000);

/** A length of time in the largest unit that says something: 34 s, 14 min, 3 h 05. */
export function ageText(seconds, say) {
  if (seconds === null || seconds === undefined || Number.isNaN(seconds)) return UNKNOWN;
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < MINUTE_S) return say('age_s', { n: whole });
  if (whole < HOUR_S) return say('age_min', { n: Math.floor(whole / MINUTE_S) });
  if (whole < 2 * DAY_S) {
    const minutes = Math.floor((whole % HOUR_S) / MINUTE_S);
    return say('age_h', { h: Math.floor(whole / HOUR_S), m: String(minutes).padStart(2, '0') });
  }
  return say('age_d', { n: Math.floor(whole / DAY_S) });
}

/** Minutes and seconds as on a stop watch: 0:15, 4:12, 61:05. */
export function watch(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / MINUTE_S)}:${String(whole % MINUTE_S).padStart(2, '0')}`;
}

/** Time since onset: T+ 03:42, with days in front from the first whole one on. */
export function since(seconds, say) {
  const whole = Math.max(0, Math.floor(seconds));
  const days = Math.floor(whole / DAY_S);
  const hours = String(Math.floor((whole % DAY_S) / HOUR_S)).padStart(2, '0');
  const minutes = String(Math.floor((whole % HOUR_S) / MINUTE_S)).padStart(2, '0');
  return days ? say('t_plus_days', { d: days, hm: `${hours}:${minutes}` }) : say('t_plus', { hm: `${hours}:${minutes}` });
}

/** How a number moved: direction, amount, and the words for it. */
export function delta(amount, figure) {
  if (amount === null || amount === undefined) return { sign: '', text: UNKNOWN };
  if (amount === 0) return { sign: '=', text: '0' };
  return { sign: amount > 0 ? '▲' : '▼', text: figure(Math.abs(amount)) };
}

/** Whether known is the sum of its four parts; null while one is unknown. */
export function addsUp({ known, unaccounted, needs_help, safe, other }) {
  const parts = [unaccounted, needs_help, safe, other];
  if (known === null || parts.includes(null)) return null;
  return parts.reduce((sum, part) => sum + part, 0) === known;
}

/** Widths in percent of a bar's parts; all 0 where nothing is known. */
export function shares(parts) {
  const total = parts.reduce((sum, part) => sum + (part ?? 0), 0);
  return parts.map((part) => (total > 0 ? (100 * (part ?? 0)) / total : 0));
}

/**
 * Weights of a ring or bar that betray no small cell.
 *
 * A withheld cell is drawn with the same fixed share whatever it hides; exact
 * ones divide what is left. Null: nothing of it may be drawn.
 */
export function weights(cells, fixed = 0.06) {
  const withheld = cells.filter((cell) => cell.mark !== 'exact').length;
  const exact = cells.map((cell) => (cell.mark === 'exact' ? cell.count ?? 0 : 0));
  const sum = exact.reduce((total, count) => total + count, 0);
  if (sum === 0) return null;
  const left = 1 - withheld * fixed;
  return cells.map((cell, at) => (cell.mark === 'exact' ? (left * exact[at]) / sum : fixed));
}
