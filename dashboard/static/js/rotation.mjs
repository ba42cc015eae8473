// Which situation is on the wall: turned every 30 s, held where somebody chose.

export const TURN_S = 30;

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
