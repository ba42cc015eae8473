// Right column: alerts, areas, what changed, calls. Footer: feeds, inputs, pipeline.

import { barParts } from './charts.mjs';
import { hhmm } from './clock.mjs';
import { el, list, mark, put, show } from './dom.mjs';
import { agoS, UNKNOWN } from './figures.mjs';

const TOP = 6;
const LEVEL_KINDS = new Set(['advice']);

function alerts(refs, now, log_ms, speaker) {
  const { say, figure } = speaker;
  const { open, acknowledged, silenced, oldest_at, items } = now.alerts;
  put(refs.alerts.querySelector('h3'), say('alerts'));
  mark(refs.alerts, 'data-open', open);
  const age = oldest_at === null || !open ? '' : ` ${speaker.age(agoS(log_ms, oldest_at))}`;
  const words = { open: say('alerts_open') + age, acknowledged: say('alerts_acknowledged'), silenced: say('alerts_silenced') };
  for (const [key, count] of Object.entries({ open, acknowledged, silenced })) {
    const node = refs.alerts.querySelector(`[data-count=${key}]`);
    put(node.children[0], figure(count));
    put(node.children[1], words[key]);
    mark(node, 'data-pulse', key === 'open' && open > 0);
  }
  list(
    refs.alertItems, items.slice(0, 6), (item) => item.alert_id,
    () => el('li', '', el('b'), el('span')),
    (node, item) => {
      put(node.children[0], hhmm(Date.parse(item.raised_at)));
      const late = item.late_s >= 60 ? ` · ${say('late_by', { age: speaker.age(item.late_s) })}` : '';
      const drill = item.status === 'Actual' ? '' : `${say(item.status.toLowerCase())} · `;
      put(node.children[1], `${drill}${item.title ?? speaker.or(`rule_${item.rule}`, item.rule)}${late}`);
    },
  );
}

// Withheld counts stand after every exact one: nobody sees from the order how many they hide.
const weight = (cell) => (cell.mark === 'exact' ? cell.count ?? 0 : 0);

/** The areas to list: most unaccounted first, then most known, then by name. */
export function topAreas(areas) {
  return [...areas]
    .sort((one, other) => weight(other.unaccounted) - weight(one.unaccounted)
      || weight(other.known) - weight(one.known) || one.name.localeCompare(other.name))
    .slice(0, TOP);
}

/** An area's name: its own, the country's where only that is known, or nowhere. */
export function areaName(area, { say }) {
  if (area.code === '') return say('area_nowhere');
  return area.code.includes('-') ? area.name : say('area_country', { country: area.name });
}

function areas(refs, situation, speaker) {
  const { say, cell } = speaker;
  const [title, note] = refs.areas.querySelector('h3').children;
  put(title, say('by_area'));
  put(note, say('by_area_note'));
  const heads = refs.areas.querySelectorAll('th');
  put(heads[1], say('col_unaccounted'));
  put(heads[2], say('col_help'));
  const top = situation === null ? [] : topAreas(situation.areas);
  list(
    refs.areas.querySelector('tbody'), top, (area) => area.code,
    () => {
      const row = el('tr', '', el('th'), el('td', 'unaccounted'), el('td', 'needs_help'), el('td', 'mini'));
      row.children[0].scope = 'row';
      row.children[3].append(el('div', 'bar small'));
      return row;
    },
    (row, area) => {
      put(row.children[0], areaName(area, speaker));
      put(row.children[1], cell(area.unaccounted));
      put(row.children[2], cell(area.needs_help));
      list(
        row.children[3].firstChild, (barParts(area) ?? [{ bucket: 'withheld', percent: 100 }]).filter((part) => part.percent > 0),
        (part) => part.bucket, (part) => el('i', part.bucket),
        (node, part) => { node.style.flexGrow = part.percent; },
      );
    },
  );
  const none = refs.areas.querySelector('.none');
  put(none, say(situation === null ? 'areas_no_situation' : 'areas_none'));
  show(none, top.length === 0);
  show(refs.areas.querySelector('table'), top.length > 0);
}

/** What a change was, in words. */
export function changeText(change, speaker) {
  return speaker.or(`change_${change.kind}_${change.change}`, change.change);
}

function changes(refs, now, speaker) {
  const { say } = speaker;
  put(refs.changes.querySelector('h3').children[0], say('changes'));
  put(refs.changes.querySelector('h3').children[1], say('changes_note'));
  list(
    refs.changes.querySelector('ul'), now.changes.slice(0, 6),
    (change) => `${change.at}|${change.kind}|${change.change}|${change.title}`,
    () => el('li', '', el('time'), el('div', '', el('b'), el('p', '', el('i', 'level'), el('u', '', '→'), el('i', 'level'), el('span')))),
    (node, change) => {
      put(node.children[0], hhmm(Date.parse(change.at)));
      const drill = change.status === 'Actual' ? '' : `${say(change.status.toLowerCase())} · `;
      put(node.children[1].children[0], `${drill}${change.title}`);
      const [before, arrow, after, text] = node.children[1].children[1].children;
      const levels = LEVEL_KINDS.has(change.kind);
      for (const [chip, level] of [[before, change.before], [after, change.after]]) {
        show(chip, level !== null);
        const whole = levels ? String(Math.round(level ?? 0)) : `M ${speaker.decimal(level)}`;
        put(chip, level === null ? '' : whole);
        mark(chip, 'data-level', levels && level !== null ? Math.round(level) : null);
      }
      show(arrow, change.before !== null && change.after !== null);
      const scope = change.scope ? speaker.or(`scope_${change.scope}`, change.scope) : '';
      put(text, [changeText(change, speaker), scope].filter(Boolean).join(' · '));
    },
  );
  const none = refs.changes.querySelector('.none');
  put(none, say('changes_none'));
  show(none, now.changes.length === 0);
  show(refs.changes.querySelector('ul'), now.changes.length > 0);
}

/** Patch the right column. */
export function renderSide(refs, now, situation, log_ms, speaker) {
  const { say, figure } = speaker;
  alerts(refs, now, log_ms, speaker);
  areas(refs, situation, speaker);
  changes(refs, now, speaker);
  const [title, note] = refs.calls.querySelector('h3').children;
  put(title, say('calls'));
  put(note, say('last_hour'));
  put(refs.calls.querySelector('p'), say('calls_text', { n: figure(now.contacts.hour), reached: figure(now.contacts.reached) }));
}

/** A feed's state in words; its age is counted here, from its own times. */
export function feedText(feed, log_ms, speaker) {
  const { say, age, figure } = speaker;
  const last = agoS(log_ms, feed.last_success_at);
  if (feed.state === 'ok') return last === null ? say('says_ok') : say('ago', { age: age(last) });
  const why = feed.reason ? ` · ${feed.reason}` : '';
  if (feed.state === 'late') {
    const most = feed.expected_interval_s === null ? UNKNOWN : age(feed.expected_interval_s);
    return say('says_late', { age: last === null ? UNKNOWN : age(last), most });
  }
  if (feed.state === 'suspect') {
    return feed.items === null || feed.usual_items === null
      ? say('says_suspect') + why
      : say('says_suspect_items', { n: figure(feed.items), usual: figure(feed.usual_items) });
  }
  if (feed.state === 'down') {
    return (feed.since === null ? say('says_down') : say('says_down_since', { time: hhmm(Date.parse(feed.since)) })) + why;
  }
  return say('says_unknown') + why;
}
