// The one stream of a page, and whether what it last said can still be believed.

export const STALE_S = 10;
const AGAIN_MS = 3000;

/**
 * Listen to `url`; `on(snapshot)` for each message. Returns what ends it.
 *
 * The browser reconnects by itself after a broken line; where it gives up (an
 * answer that is no stream), a new one is opened.
 */
export function listen(url, on, onBroken = console.error) {
  let source = null;
  let timer = null;
  let ended = false;
  const take = (message) => {
    let snapshot;
    try {
      snapshot = JSON.parse(message.data);
    } catch (error) {
      onBroken(error);
      return;
    }
    on(snapshot);
  };
  const open = () => {
    source = new EventSource(url);
    source.onmessage = take;
    // What comes before the first picture has a name of its own.
    source.addEventListener('waiting', take);
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED && !ended) {
        clearTimeout(timer);
        timer = setTimeout(open, AGAIN_MS);
      }
    };
  };
  open();
  return () => {
    ended = true;
    clearTimeout(timer);
    source.close();
  };
}

/**
 * Why the wall is stale, or null: `never`, `store`, `silent` or `no_tick`.
 *
 * `fresh` is `freshness` of clock.mjs, `waited_s` how long nothing ever came.
 */
export function staleBecause(now, fresh, waited_s) {
  if (fresh === null || now === null) return waited_s > STALE_S ? 'never' : null;
  if (now.store) return 'store';
  if (fresh.silent_s > STALE_S) return 'silent';
  if (now.clock?.phase === 'loading') return null;
  if (now.tick_age_s !== null && fresh.age_s > STALE_S) return 'no_tick';
  return null;
}

/** A message that brings numbers, or the last ones where the store was unreadable. */
export function merged(before, message) {
  if (Array.isArray(message.situations)) return message;
  return before === null ? message : { ...before, ...message };
}
