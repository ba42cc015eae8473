// Footer: feeds, what people file, and how Rollcall itself is doing.

import { draw, el, list, mark, put } from './dom.mjs';
import { agoS, UNKNOWN } from './figures.mjs';
import { STATES } from './glyphs.mjs';
import { feedText } from './wall_side.mjs';

const MOST = 7;
const WORST = ['down', 'suspect', 'late', 'unknown', 'ok'];

/** The pipeline's state and sentence; faults first, then what was left out. */
export function pipelineOf(now, age_s, speaker) {
  const { say, figure } = speaker;
  const { lag, dead_letters, skipped, faults } = now.pipeline;
  const parts = [];
  if (faults.length) parts.push(say('faults', { list: faults.map((fault) => speaker.or(`fault_${fault}`, fault)).join(', ') }));
  if (dead_letters) parts.push(say(dead_letters === 1 ? 'dead_letter' : 'dead_letters', { n: figure(dead_letters) }));
  if (skipped) parts.push(say('skipped', { n: figure(skipped) }));
  const tick = age_s === null ? say('no_tick_yet') : age_s > 10 ? say('no_tick_for', { age: speaker.age(age_s) }) : say('tick_age', { age: speaker.age(age_s) });
  parts.push(tick, lag === null ? say('lag_unknown') : say('lag', { n: figure(lag) }));
  const state = faults.length ? 'down' : dead_letters || skipped ? 'suspect' : age_s === null ? 'unknown' : age_s > 10 ? 'late' : 'ok';
  return { state, text: parts.join(' · ') };
}

/** When the last of each kind came in, as one sentence. */
export function inputsText(inputs, log_ms, speaker) {
  return inputs
    .map((input) => speaker.say(`input_${input.kind}`, {
      age: input.last_at === null ? speaker.say('never_yet') : speaker.age(agoS(log_ms, input.last_at)),
    }))
    .join(' · ');
}

/** The chips of the footer, as values. */
export function chipsOf(now, { log_ms, age_s, speaker }) {
  const chips = [];
  if (now.feeds === null) {
    chips.push({ key: 'feeds', name: speaker.say('feeds'), state: 'unknown', text: speaker.say('feeds_unknown') });
  } else {
    const worst = [...now.feeds].sort((one, other) => WORST.indexOf(one.state) - WORST.indexOf(other.state));
    const shown = new Set(worst.slice(0, now.feeds.length > MOST ? MOST - 1 : MOST));
    for (const feed of now.feeds.filter((one) => shown.has(one))) {
      chips.push({
        key: `feed-${feed.feed}`, feed: feed.feed, name: speaker.or(`feed_${feed.feed}`, feed.feed.toUpperCase()),
        state: feed.state, text: feedText(feed, log_ms, speaker), title: feed.reason,
      });
    }
    const left = now.feeds.length - shown.size;
    if (left) chips.push({ key: 'more', name: speaker.say('feeds_more', { n: left }), state: 'ok', text: speaker.say('feeds_more_text') });
    if (!now.feeds.length) chips.push({ key: 'feeds', name: speaker.say('feeds'), state: 'unknown', text: speaker.say('feeds_none') });
  }
  chips.push({ key: 'inputs', name: speaker.say('inputs'), state: null, text: inputsText(now.inputs, log_ms, speaker) || UNKNOWN });
  chips.push({ key: 'pipeline', name: speaker.say('pipeline'), ...pipelineOf(now, age_s, speaker) });
  return chips;
}

/** Patch the footer. */
export function renderFoot(refs, now, context) {
  list(
    refs.feeds, chipsOf(now, context), (chip) => chip.key,
    (chip) => {
      const node = el('div', 'feed', el('i', 'g'), el('div', '', el('b'), el('span')));
      node.dataset.chip = chip.key;
      if (chip.feed) node.dataset.feed = chip.feed;
      return node;
    },
    (node, chip) => {
      mark(node, 'data-feed-state', chip.state);
      mark(node, 'title', chip.title || null);
      draw(node.children[0], chip.state === null ? '' : STATES[chip.state] ?? STATES.unknown);
      put(node.children[1].children[0], chip.name);
      put(node.children[1].children[1], chip.text);
      const spoken = chip.state === null ? '' : ` ${context.speaker.say(`feed_${chip.state}`)}:`;
      mark(node, 'aria-label', `${chip.name}:${spoken} ${chip.text}`);
    },
  );
}
