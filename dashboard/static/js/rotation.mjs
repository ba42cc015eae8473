// Which situation is on the wall: turned every 30 s, held where somebody chose.

export const TURN_S = 30;

/** How long a new alert holds the view, and how long none does after that. */
export const ALERT_S = 60;

export const noRotation = Object.freeze({ id: null, since_ms: 0, held: false });

/**
 * The rotation at `now_ms`: stays where it is while paused, held or alone.
 *
 * A new situation never takes the view; one that is gone gives it to the first.
 */
export function turned(rotation, ids, now_ms, paused) {
  if (!ids.length) return noRotation;
  if (!ids.includes(rotation.id)) return { id: ids[0], since_ms: now_ms, held: false };
  if (paused || rotation.held || ids.length === 1) return { ...rotation, since_ms: now_ms };
  if (now_ms - rotation.since_ms < TURN_S * 1000) return rotation;
  return { id: following(rotation.id, ids), since_ms: now_ms, held: false };
}

/** The situation after (or `step` after) this one. */
export function following(id, ids, step = 1) {
  return ids[(ids.indexOf(id) + step + ids.length) % ids.length];
}

/** Whole seconds until the wall turns. */
export const left_s = (rotation, now_ms) =>
  Math.max(0, Math.ceil(TURN_S - (now_ms - rotation.since_ms) / 1000));

/** Somebody chose: it stays until they let go. */
export const chosen = (id, now_ms) => ({ id, since_ms: now_ms, held: true });

/** Let go: it turns again, a whole turn from now. */
export const released = (rotation, now_ms) => ({ ...rotation, since_ms: now_ms, held: false });

export const noAlarm = Object.freeze({ raised: null, from_ms: -Infinity });

/**
 * Note how many alerts were `raised` so far; null is not known.
 *
 * One more holds the view. In a flood of them it is held and let go in turn:
 * a situation that nobody sees any more may be the worse one.
 */
export function alarmed(alarm, raised, now_ms) {
  if (raised === null) return alarm;
  const one_more = alarm.raised !== null && raised > alarm.raised;
  const rested = now_ms - alarm.from_ms >= 2 * ALERT_S * 1000;
  return { raised, from_ms: one_more && rested ? now_ms : alarm.from_ms };
}

/** Whether a new alert holds the view. */
export const alarming = (alarm, now_ms) => now_ms - alarm.from_ms < ALERT_S * 1000;
