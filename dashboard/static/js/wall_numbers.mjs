// Left column: the numbers, what they are made of, and how far they can be trusted.

import { trendSvg } from './charts.mjs';
import { draw, mark, put, show } from './dom.mjs';
import { addsUp, agoS, delta, shares } from './figures.mjs';
import { BUCKETS } from './glyphs.mjs';

const FOUR = ['unaccounted', 'needs_help', 'safe', 'other'];
const TIERS = ['confirmed', 'probable', 'possible', 'country_only'];
const DIGIT = 0.66;
const CAPITAL = 0.74;
const LABEL = { unaccounted: [42, 420], needs_help: [29, 224], safe: [29, 224], other: [28, 300] };
const SPACE = { unaccounted: [188, 462], needs_help: [104, 196], safe: [104, 196], other: [72, 130] };

/** Size in design pixels at which a number fits its room. */
export function sizeOf(text, [most, room]) {
  const wide = [...text].reduce((sum, sign) => sum + (/[0-9\p{L}]/u.test(sign) ? DIGIT : 0.32), 0);
  return Math.floor(Math.min(most, room / Math.max(wide, 0.6)));
}

/** Parts of other that are not empty, as words; all of them where all are. */
export function partsText(parts, { say, figure }) {
  if (parts === null) return say('parts_unknown');
  const shown = Object.entries(parts).filter(([, count]) => count > 0);
  return shown.length
    ? shown.map(([bucket, count]) => `${say(`bucket_${bucket}`)} ${figure(count)}`).join(' · ')
    : say('parts_none');
}

/** Feeds that carry this situation and are not well: [feed, ...]. */
export function silentFeeds(situation, feeds) {
  const sources = new Set(situation.incidents.map((one) => one.headline_source.split(':')[0]));
  return (feeds ?? []).filter((feed) => sources.has(feed.feed) && feed.state !== 'ok');
}

/** The sentence a number carries while a feed behind it is not well. */
export function silentText(situation, feeds, log_ms, speaker) {
  const { say, age } = speaker;
  if (feeds === null) return situation.incidents.length ? say('feeds_unknown_number') : '';
  return silentFeeds(situation, feeds)
    .map((feed) => {
      const name = speaker.or(`feed_${feed.feed}`, feed.feed.toUpperCase());
      if (feed.state === 'unknown' || feed.last_success_at === null) return say('number_feed_unknown', { feed: name });
      if (feed.state === 'suspect') return say('number_feed_suspect', { feed: name });
      return say('number_feed_silent', { feed: name, age: age(agoS(log_ms, feed.last_success_at)) });
    })
    .join(' · ');
}

function deltas(situation, bucket, { say, figure }) {
  const change = situation.changes?.[bucket] ?? { minutes_15: null, hour: null };
  return [['in_15_min', change.minutes_15], ['in_1_h', change.hour]].map(([key, amount]) => {
    const { sign, text } = delta(amount, figure);
    return say(key, { n: sign ? `${sign} ${text}` : text });
  });
}

function bucketCard(refs, situation, bucket, speaker, echo) {
  const card = refs.numbers[bucket];
  const count = situation[bucket];
  const text = count === null ? speaker.say('unknown') : speaker.figure(count);
  mark(card, 'data-value', count);
  mark(card, 'data-unknown', count === null);
  put(card.querySelector('.big'), text);
  card.querySelector('.big').style.setProperty('--size', sizeOf(text, SPACE[bucket]));
  const label = card.querySelector('.label');
  put(label, speaker.say(bucket));
  const [most, room] = LABEL[bucket];
  label.style.setProperty('--size', Math.min(most, Math.floor(room / (label.textContent.length * CAPITAL))));
  draw(card.querySelector('.g'), BUCKETS[bucket]);
  const moved = card.querySelector('.deltas');
  if (moved) put(moved, deltas(situation, bucket, speaker).join('  ·  '));
  const other = card.querySelector('.echo');
  if (other) put(other, (echo[bucket] ?? []).join(' · '));
}

function total(refs, situation, speaker) {
  const { say, figure } = speaker;
  const card = refs.numbers.known;
  mark(card, 'data-value', situation.known);
  put(card.querySelector('.big'), situation.known === null ? '?' : figure(situation.known));
  put(card.querySelector('.label'), say('number_known'));
  const parts = FOUR.map((bucket) => situation[bucket]);
  draw(refs.equation, situation.known === null ? '' : `= ${FOUR.map((bucket, at) => `<b class="${bucket}">${figure(parts[at])}</b>`).join(' + ')}`);
  shares(parts).forEach((percent, at) => {
    refs.bar.children[at].style.flexGrow = percent;
    show(refs.bar.children[at], percent > 0);
  });
  mark(refs.bar, 'aria-label', FOUR.map((bucket, at) => `${say(bucket)} ${figure(parts[at])}`).join(', '));
  const tiers = situation.tiers;
  put(refs.tiers, tiers === null ? say('tiers_unknown') : TIERS.map((tier) => `${say(`tier_${tier}`)} ${figure(tiers[tier] ?? 0)}`).join(' · '));
  const apart = [say('apart_inbound', { n: figure(situation.inbound) }), say('apart_withdrawn', { n: figure(situation.withdrawn) })];
  if (situation.duplicates) apart.push(say('duplicates', { n: figure(situation.duplicates) }));
  put(refs.apart, apart.join(' · '));
}

/** What does not add up, as a sentence; empty where all is well or unknown. */
export function unbalancedText(situation, { say, figure }) {
  const found = situation.imbalance;
  if (found && (found.room || found.buckets || found.store)) {
    return say('unbalanced', { room: figure(found.room), buckets: figure(found.buckets), store: figure(found.store) });
  }
  return addsUp(situation) === false ? say('unbalanced_screen') : '';
}

/** "at least · 7 of 8 shards": how much of Rollcall stands behind the numbers. */
export function leastText(situation, { say, figure }) {
  if (!situation.at_least || situation.known === null) return '';
  const known = situation.completeness;
  if (known === null || known.complete) return say('at_least');
  return say('at_least_shards', { reached: figure(known.reached), shards: figure(known.shards) });
}

/** Patch the left column from one situation. */
export function renderNumbers(refs, situation, { feeds, log_ms, speaker, echo }) {
  for (const bucket of FOUR) bucketCard(refs, situation, bucket, speaker, echo);
  put(refs.otherParts, partsText(situation.other_parts, speaker));
  total(refs, situation, speaker);
  mark(refs.numbers.known, 'data-unknown', situation.known === null);
  const least = leastText(situation, speaker);
  put(refs.least, least);
  show(refs.least, least !== '');
  const silent = silentText(situation, feeds, log_ms, speaker);
  put(refs.silent, silent);
  show(refs.silent, silent !== '');
  const wrong = unbalancedText(situation, speaker);
  put(refs.unbalanced, wrong);
  show(refs.unbalanced, wrong !== '');
  const { say, figure } = speaker;
  const { clientWidth, clientHeight } = refs.trend;
  const scale = clientWidth ? 470 / clientWidth : 1;
  const svg = clientHeight * scale < 48 ? '' : trendSvg(situation.trend, log_ms, {
    figure, label: say('trend'), ticks: [say('ago_h', { n: 3 }), say('ago_h', { n: 2 }), say('ago_h', { n: 1 }), say('now')],
    height: Math.round(clientHeight * scale),
  });
  if (svg === null) {
    refs.trend.drawn = undefined;
    put(refs.trend, situation.known === null ? '' : say('trend_short'));
  } else {
    draw(refs.trend, svg);
  }
}
