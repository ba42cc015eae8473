// The wall: one stream in, one picture out, patched in place.

import { bannersOf, frame, renderBanners } from './banners.mjs';
import { freshness, heard, logNow, machineNow, ms, noClock } from './clock.mjs';
import { mark, put, show } from './dom.mjs';
import { speaker as speakerOf } from './figures.mjs';
import { alarmed, alarming, chosen, following, left_s, noAlarm, noRotation, released, turned } from './rotation.mjs';
import { listen, merged, staleBecause } from './stream.mjs';
import { calmKind, renderCalm } from './wall_calm.mjs';
import { renderFoot } from './wall_foot.mjs';
import { countryOf, renderClocks, renderLive, renderTitle, staleBanner } from './wall_head.mjs';
import { renderLegend, wallMap } from './wall_map.mjs';
import { renderNumbers } from './wall_numbers.mjs';
import { renderSide } from './wall_side.mjs';

const API = new URL('../../api/live/wall', import.meta.url);
const TALL = 860;
const MID = 770;

function refsOf(root) {
  const at = (id) => root.querySelector(`#${id}`);
  const number = (name) => root.querySelector(`[data-number="${name}"]`);
  const refs = {
    wall: root.querySelector('.wall'), otherParts: at('other-parts'), hazardWord: at('hazard-word'), mapCard: at('map-card'),
    calmTitle: at('calm-title'), calmLead: at('calm-lead'), calmFacts: at('calm-facts'), mapFault: at('map-fault'),
    mapNotes: at('map-notes'), turningText: at('turning-text'), alertItems: at('alert-items'), numbersCard: at('numbers'),
    numbers: Object.fromEntries(['unaccounted', 'needs_help', 'safe', 'other', 'known'].map((name) => [name, number(name)])),
  };
  for (const id of ['said', 'hazard', 'title', 'subtitle', 'local', 'brussels', 'utc', 'live', 'banners', 'least', 'silent', 'trend',
    'equation', 'bar', 'tiers', 'apart', 'unbalanced', 'calm', 'progress', 'map', 'affected', 'turning', 'before', 'after',
    'legend', 'scale', 'alerts', 'areas', 'changes', 'calls', 'feeds']) {
    refs[id] = at(id);
  }
  return refs;
}

/** Mount the wall in a root that holds wall.html; returns what ends it. */
export function mount(root, { words, language, scale = 1, echo = {}, api = API.href }) {
  const refs = refsOf(root);
  const speaker = speakerOf(words, language);
  const started = performance.now();
  const factor = Math.min(1.6, Math.max(0.5, Number(scale) || 1));
  let now = null;
  let clock = noClock;
  let rotation = noRotation;
  let alarm = noAlarm;
  let spoken = '';
  const state = { map: false, painted: false };

  const unit = () => factor * Math.min(innerWidth / 1920, innerHeight / 1080);
  const ready = () => { if (state.map && state.painted) window.__wallReady = true; };
  const wall = wallMap(refs, {
    speaker, unit,
    zonesUrl: (id, key) => `${api}/zones/${encodeURIComponent(id)}?v=${encodeURIComponent(key)}`,
    onIdle: () => { state.map = true; ready(); },
    onFault: (why) => {
      put(refs.mapFault, why === null ? '' : speaker.say('map_fault', { why }));
      show(refs.mapFault, why !== null);
    },
  });

  const paint = () => {
    const mono = performance.now();
    const wall_ms = Date.now();
    const known = now !== null && Array.isArray(now.situations) ? now : null;
    const fresh = freshness(clock, mono);
    const why = staleBecause(now, fresh, (mono - started) / 1000);
    const log_ms = logNow(clock, mono, wall_ms);
    const ids = (known?.situations ?? []).map((one) => one.situation_id);
    alarm = alarmed(alarm, known && known.alerts.open + known.alerts.acknowledged, mono);
    rotation = turned(rotation, ids, mono, pausedBy(known, mono) !== null);
    const situation = known?.situations.find((one) => one.situation_id === rotation.id) ?? null;
    const machine_ms = clock.heard_ms === null ? null : machineNow(clock, wall_ms);
    const statuses = [situation?.status].filter(Boolean);

    mark(refs.wall, 'data-state', why === null ? (now === null ? 'waiting' : 'live') : 'stale');
    const banners = bannersOf({
      clock: known?.clock, statuses, log_ms,
      stale: staleBanner(why, { as_of: known?.as_of ?? null, age_s: fresh?.age_s ?? fresh?.silent_s ?? null, store: now?.store }, speaker),
    }, speaker, echo);
    renderBanners(refs.banners, banners);
    frame(refs.wall, banners.some((banner) => banner.kind === 'exercise'));
    mark(refs.wall, 'data-room', roomOf());
    renderTitle(refs, situation, calmKind(known), log_ms, speaker);
    renderClocks(refs, { shown_ms: clock.replay ? log_ms ?? ms(known.clock.start_at) : machine_ms, country: situation === null ? null : countryOf(situation), speaker });
    renderLive(refs, why, fresh?.age_s ?? null, clock.replay, speaker);
    show(refs.numbersCard, situation !== null);
    show(refs.calm, situation === null);
    if (situation === null) {
      mark(refs.calm, 'data-kind', calmKind(known));
      renderCalm(refs, known, log_ms, speaker);
    } else {
      renderNumbers(refs, situation, { feeds: known.feeds, log_ms, speaker, echo });
    }
    if (known !== null) {
      renderSide(refs, known, situation, log_ms, speaker);
      renderFoot(refs, known, { log_ms, age_s: fresh.age_s, speaker });
      wall.render(known, situation);
      overlays(known, situation, mono);
    }
    say(why, situation);
    if (known !== null && !state.painted) {
      state.painted = true;
      ready();
    }
  };

  const roomOf = () => {
    const height = refs.mapCard.clientHeight / unit();
    return height >= TALL ? 'tall' : height >= MID ? 'mid' : 'low';
  };

  const pausedBy = (known, mono) => {
    if (known?.alerts.open && alarming(alarm, mono)) return 'alert';
    return root.activeElement ? 'focus' : null;
  };

  const overlays = (known, situation, mono) => {
    const { say: word, figure } = speaker;
    mark(refs.affected, 'data-value', known.affected);
    put(refs.affected.children[0], figure(known.affected));
    const live = known.situations.filter((one) => one.live).length;
    const drill = situation !== null && situation.status !== 'Actual';
    const key = known.affected === null ? 'affected_unknown' : drill ? 'affected_actual' : live > 1 ? 'affected_in' : 'affected';
    put(refs.affected.children[1], word(key, { n: figure(live) }));
    show(refs.affected, situation !== null);
    show(refs.legend, situation !== null);
    if (situation !== null) renderLegend(refs, situation, speaker);
    show(refs.scale, situation !== null);
    const several = known.situations.length;
    show(refs.turning, several > 1);
    if (several > 1) {
      const ids = known.situations.map((one) => one.situation_id);
      const next = known.situations.find((one) => one.situation_id === following(rotation.id, ids));
      const paused = pausedBy(known, mono);
      const fields = { i: ids.indexOf(rotation.id) + 1, n: several, title: next.title, s: left_s(rotation, mono) };
      put(refs.turningText, word(rotation.held ? 'turning_held' : paused ? `turning_paused_${paused}` : 'turning', fields));
    }
    const blind = known.unplaced.length ? word('unplaced', { n: figure(known.unplaced.length), list: known.unplaced.slice(0, 3).map((one) => one.title).join('; ') }) : '';
    const quiet = known.quiet && situation !== null ? word('quiet', { n: figure(known.quiet) }) : '';
    put(refs.mapNotes, [blind, quiet].filter(Boolean).join(' · '));
    show(refs.mapNotes, refs.mapNotes.textContent !== '');
  };

  // Spoken are changes of state, not every number.
  const say = (why, situation) => {
    const text = [speaker.say(why === null ? 'said_live' : 'said_stale'), situation?.title].filter(Boolean).join(': ');
    if (text === spoken) return;
    spoken = text;
    put(refs.said, text);
  };

  const pick = (id) => {
    if (!id) return;
    rotation = chosen(id, performance.now());
    paint();
  };
  const step = (by) => {
    const ids = (now?.situations ?? []).map((one) => one.situation_id);
    if (ids.length) pick(following(rotation.id, ids, by));
  };
  const onKey = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === 'ArrowRight') step(1);
    else if (event.key === 'ArrowLeft') step(-1);
    else if (event.key === 'Escape') {
      root.activeElement?.blur();
      rotation = released(rotation, performance.now());
      paint();
    } else if (/^[1-9]$/.test(event.key)) pick(now?.situations?.[Number(event.key) - 1]?.situation_id);
    else return;
    event.preventDefault();
  };
  const onHold = () => {
    if (rotation.id && (now?.situations?.length ?? 0) > 1) pick(rotation.id);
  };

  refs.wall.style.setProperty('--scale', factor);
  refs.wall.lang = language;
  mark(refs.mapCard, 'aria-label', speaker.say('map_label'));
  mark(refs.before, 'aria-label', speaker.say('before'));
  mark(refs.after, 'aria-label', speaker.say('after'));
  refs.before.addEventListener('click', () => step(-1));
  refs.after.addEventListener('click', () => step(1));
  refs.mapCard.addEventListener('pointerdown', onHold);
  document.addEventListener('keydown', onKey);
  const watcher = new ResizeObserver(() => wall.resize());
  watcher.observe(refs.map);
  const close = listen(api, (message) => {
    now = merged(now, message);
    clock = heard(clock, now, performance.now(), Date.now());
    paint();
  });
  // On the second of the server's clock, so that the clocks do not skip one.
  let timer = null;
  const beat = () => {
    paint();
    timer = setTimeout(beat, 1000 - (machineNow(clock, Date.now()) % 1000) + 5);
  };
  beat();
  return () => {
    clearTimeout(timer);
    close();
    watcher.disconnect();
    document.removeEventListener('keydown', onKey);
    wall.end();
    window.__wallReady = false;
  };
}
