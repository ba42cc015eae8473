// Header: what happened, how long ago, and which time it is where.

import { hhmm, zoneOf } from './clock.mjs';
import { mark, put, show } from './dom.mjs';
import { agoS, since, watch } from './figures.mjs';

/** The incident that stands for a situation: the strongest, the first else. */
export function headIncident(situation) {
  return [...situation.incidents].sort((one, other) => (other.magnitude ?? -1) - (one.magnitude ?? -1))[0] ?? null;
}

/** The country of a situation: where most of its areas are. */
export function countryOf(situation) {
  const counts = new Map();
  for (const area of situation.areas) {
    if (area.country) counts.set(area.country, (counts.get(area.country) ?? 0) + (area.known.count ?? 1));
  }
  return [...counts].sort((one, other) => other[1] - one[1])[0]?.[0] ?? null;
}

/** "T+ 03:42 · M 7.8 · depth 10 km (assumed) · USGS, version 3". */
export function subtitleOf(situation, log_ms, speaker) {
  const { say, decimal, figure } = speaker;
  const parts = [];
  if (log_ms !== null) parts.push(since(agoS(log_ms, situation.onset_at), say));
  const head = headIncident(situation);
  if (head) {
    if (head.magnitude !== null) parts.push(say('magnitude', { m: decimal(head.magnitude) }));
    if (head.depth_m !== null) {
      parts.push(say(head.depth_assumed ? 'depth_assumed' : 'depth', { km: figure(Math.round(head.depth_m / 1000)) }));
    }
    parts.push(say('version_of', { source: head.headline_source.split(':')[0].toUpperCase(), n: head.version }));
    if (!head.area_known) parts.push(say('area_unknown'));
  }
  if (situation.incidents.length > 1) parts.push(say('incidents_n', { n: situation.incidents.length }));
  return parts.join(' · ');
}

/** Patch title and chip. */
export function renderTitle(refs, situation, calm, log_ms, speaker) {
  const { say } = speaker;
  if (situation === null) {
    put(refs.title, say('wall_title'));
    put(refs.subtitle, say('wall_subtitle'));
    put(refs.hazardWord, say(calm === 'quiet' ? 'quiet_chip' : calm === 'loading' ? 'loading_chip' : 'unknown'));
    mark(refs.hazard, 'data-tone', calm === 'quiet' ? 'quiet' : 'closed');
    return;
  }
  put(refs.title, situation.title);
  put(refs.subtitle, subtitleOf(situation, log_ms, speaker));
  const word = speaker.or(`hazard_${situation.hazard}`, situation.hazard);
  put(refs.hazardWord, situation.closed ? say('closed_chip', { hazard: word }) : word);
  mark(refs.hazard, 'data-tone', situation.closed ? 'closed' : 'open');
}

/** Patch the clocks; the local one only where the country has one time. */
export function renderClocks(refs, { shown_ms, country, speaker }) {
  const zone = shown_ms === null || country === null ? null : zoneOf(country, shown_ms);
  show(refs.local, zone !== null && zone !== 'Europe/Brussels');
  if (zone !== null) {
    put(refs.local.children[0], hhmm(shown_ms, zone));
    put(refs.local.children[1], new Intl.DisplayNames([speaker.language], { type: 'region' }).of(country));
  }
  put(refs.brussels.children[0], shown_ms === null ? '–' : hhmm(shown_ms, 'Europe/Brussels'));
  put(refs.brussels.children[1], speaker.say('brussels'));
  put(refs.utc.children[0], shown_ms === null ? '–' : hhmm(shown_ms, 'UTC', true));
}

/** The chip that says whether this is live: age of what is on the screen. */
export function renderLive(refs, why, age_s, replay, { say }) {
  mark(refs.live, 'data-state', why === null ? 'live' : 'stale');
  mark(refs.live, 'data-replay', replay);
  const text = why === null
    ? (age_s === null ? say('waiting_chip') : say(replay ? 'replay_live' : 'live', { age: say('age_s', { n: Math.floor(age_s) }) }))
    : say('stale', { age: age_s === null ? '–' : watch(age_s) });
  put(refs.live.children[1], text);
}

/** Words of the stale banner. */
export function staleBanner(why, { as_of, age_s, store }, speaker) {
  if (why === null) return null;
  const { say } = speaker;
  if (why === 'never') return { word: `⚠ ${say('no_live_data')}`, text: say('never_heard') };
  const whole = Math.floor(age_s ?? 0);
  const fields = {
    time: as_of === null ? '–' : hhmm(Date.parse(as_of), 'UTC', true),
    min: Math.floor(whole / 60), s: whole % 60,
  };
  const reason = why === 'store' ? store : say(`stale_${why}`);
  return { word: `⚠ ${say('no_live_data')}`, text: `— ${say('stale_text', fields)} — ${reason}` };
}
