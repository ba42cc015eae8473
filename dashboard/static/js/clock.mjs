// Which time it is: of the machine (corrected by the server's) and of the log.

const UTC = { timeZone: 'UTC', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' };
const DRIFT_MS = 3000;
const RUN_ON_S = 10;
const formats = new Map();

function formatter(options) {
  const key = JSON.stringify(options);
  if (!formats.has(key)) formats.set(key, new Intl.DateTimeFormat('en-GB', options));
  return formats.get(key);
}

/** Hours and minutes of an instant in a zone; seconds where asked for. */
export function hhmm(at_ms, zone = 'UTC', seconds = false) {
  return formatter({ ...UTC, timeZone: zone, ...(seconds ? { second: '2-digit' } : {}) }).format(at_ms);
}

/** The date of an instant in UTC, as written in logs. */
export const day = (at_ms) => new Date(at_ms).toISOString().slice(0, 10);

/** Milliseconds of an RFC 3339 time; null stays null. */
export const ms = (text) => (text === null || text === undefined ? null : Date.parse(text));

/**
 * The zone of a country's clock; null where it has several times, or is unknown.
 *
 * Zones that show the same time at `at_ms` count as one.
 */
export function zoneOf(country, at_ms) {
  if (!/^[A-Z]{2}$/.test(country ?? '')) return null;
  const place = new Intl.Locale(`und-${country}`);
  const zones = place.getTimeZones?.() ?? place.timeZones ?? [];
  const times = new Set(zones.map((zone) => hhmm(at_ms, zone) + formatter({ timeZone: zone, day: '2-digit' }).format(at_ms)));
  return times.size === 1 ? zones[0] : null;
}

/** What the wall knows of time, before any message. */
export const noClock = Object.freeze({
  heard_ms: null, offset_ms: 0, as_of: null, log_ms: null, log_at_ms: null, speed: 1, replay: false, tick_age_s: null,
});

/**
 * Take a message into account; `mono_ms` is the browser's monotonic clock.
 *
 * The log's time is that of the last tick plus what has passed since, at the
 * scenario's speed in a replay.
 */
export function heard(clock, now, mono_ms, wall_ms) {
  const sent = ms(now.sent_wall_at);
  const offset = sent === null ? clock.offset_ms : sent - wall_ms;
  const replay = now.clock?.mode === 'replay';
  const speed = replay ? now.clock.speed ?? 1 : 1;
  const moved = now.as_of !== clock.as_of;
  return {
    heard_ms: mono_ms,
    // The message that was least long on its way knows best; a real drift is followed at once.
    offset_ms: clock.heard_ms === null || Math.abs(offset - clock.offset_ms) > DRIFT_MS ? offset : Math.max(offset, clock.offset_ms),
    as_of: now.as_of,
    log_ms: ms(now.as_of),
    log_at_ms: moved || clock.log_at_ms === null ? mono_ms - 1000 * (now.tick_age_s ?? 0) : clock.log_at_ms,
    speed, replay,
    tick_age_s: now.tick_age_s ?? null,
  };
}

/** The machine's time, by the server's clock and not this computer's. */
export const machineNow = (clock, wall_ms) => wall_ms + clock.offset_ms;

/**
 * The time on the log's clock; null while nothing was summed.
 *
 * A replay's runs on for at most 10 s without a tick: what comes then nobody knows.
 */
export function logNow(clock, mono_ms, wall_ms) {
  if (clock.log_ms === null) return null;
  if (!clock.replay) return Math.max(clock.log_ms, machineNow(clock, wall_ms));
  const run_s = Math.min(RUN_ON_S, Math.max(0, (mono_ms - clock.log_at_ms) / 1000));
  return clock.log_ms + 1000 * run_s * clock.speed;
}

/**
 * Real seconds since the last message, and since the last tick was seen; of the
 * tick null where none has ever been seen.
 */
export function freshness(clock, mono_ms) {
  if (clock.heard_ms === null) return null;
  const silent_s = (mono_ms - clock.heard_ms) / 1000;
  return { silent_s, age_s: clock.tick_age_s === null ? null : silent_s + clock.tick_age_s };
}
