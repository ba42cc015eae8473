// Left column where there is no situation: calm, loading, or nothing known yet.

import { day, hhmm } from './clock.mjs';
import { el, list, mark, put, show } from './dom.mjs';

/** What kind of calm it is: quiet, loading, or unknown. */
export function calmKind(now) {
  if (now?.clock?.phase === 'loading') return 'loading';
  return now?.as_of ? 'quiet' : 'unknown';
}

/** Title, lead and facts of a wall without a situation, as values. */
export function calmOf(now, log_ms, speaker) {
  const { say, figure } = speaker;
  const facts = [];
  const asOf = now?.as_of ? Date.parse(now.as_of) : null;
  const loading = now?.clock?.phase === 'loading';
  const wait = now === null;
  if (!wait) {
    facts.push([say('fact_registered'), now.people === null ? say('unknown') : figure(now.people)]);
    facts.push([say('fact_as_of'), asOf === null ? say('no_tick_yet') : `${day(asOf)} ${hhmm(asOf, 'UTC', true)}\u00a0UTC`]);
    if (now.completeness) {
      facts.push([say('fact_shards'), say('shards', { reached: figure(now.completeness.reached), shards: figure(now.completeness.shards) })]);
    }
    if (!loading && asOf !== null) facts.push([say('fact_quiet'), figure(now.quiet)]);
  }
  if (wait) return { title: say('waiting'), lead: say('waiting_text'), facts, progress: null };
  if (loading) {
    const { done, of } = now.clock;
    const lead = done === null || of === null ? say('loading_unknown') : say('loading', { done: figure(done), of: figure(of) });
    return { title: say('loading_title'), lead, facts, progress: of ? Math.min(1, (done ?? 0) / of) : null };
  }
  if (asOf === null) return { title: say('nothing_summed'), lead: say('nothing_summed_text'), facts, progress: null };
  return { title: say('calm'), lead: say('calm_text', { time: hhmm(log_ms ?? asOf) }), facts, progress: null };
}

/** Patch the calm column. */
export function renderCalm(refs, now, log_ms, speaker) {
  const calm = calmOf(now, log_ms, speaker);
  put(refs.calmTitle, calm.title);
  put(refs.calmLead, calm.lead);
  show(refs.progress, calm.progress !== null);
  if (calm.progress !== null) {
    const percent = Math.floor(100 * calm.progress);
    mark(refs.progress, 'aria-valuenow', percent);
    mark(refs.progress, 'aria-label', calm.lead);
    refs.progress.firstElementChild.style.width = `${percent}%`;
  }
  list(
    refs.calmFacts, calm.facts, ([name]) => name, () => el('div', '', el('dt'), el('dd')),
    (node, [name, value]) => {
      put(node.children[0], name);
      put(node.children[1], value);
    },
  );
}
