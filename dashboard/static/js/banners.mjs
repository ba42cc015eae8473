// Banners nobody can miss: REPLAY, EXERCISE, STALE. For every page, not the wall alone.

import { day, hhmm } from './clock.mjs';
import { el, list, mark, put } from './dom.mjs';

const STYLE = `
.rc-banner{display:flex;align-items:center;justify-content:center;gap:.6em;flex:1 1 0;min-width:0;
  min-height:2em;padding:.2em .8em;font-weight:800;line-height:1.15;text-align:center;color:#fff;overflow:hidden}
.rc-banner b{font-weight:800;letter-spacing:.06em;white-space:nowrap}
.rc-banner span{font-weight:600;overflow:hidden;text-overflow:ellipsis;white-space:nowrap;min-width:0}
.rc-banner[data-banner=replay]{background:repeating-linear-gradient(90deg,#3a34b4 0 46px,#332da3 46px 92px)}
.rc-banner[data-banner=exercise]{background:repeating-linear-gradient(135deg,#a3126f 0 26px,#8a0d5d 26px 52px)}
.rc-banner[data-banner=stale]{background:repeating-linear-gradient(135deg,#ffc533 0 30px,#f2b11c 30px 60px);color:#141414}
.rc-frame{position:absolute;inset:0;pointer-events:none;z-index:50;border:9px solid transparent;
  border-image:repeating-linear-gradient(135deg,#e02aa0 0 14px,#5c0a40 14px 28px) 9}
`;

/**
 * The banners of a moment, as values: kind, word, text.
 *
 * `statuses` are those of what is on the screen; Actual makes no banner.
 */
export function bannersOf({ clock, statuses, log_ms, stale = null }, speaker, echo = {}) {
  const { say } = speaker;
  const found = [];
  if (clock?.mode === 'replay') {
    const time = log_ms === null ? '' : `${day(log_ms)} ${hhmm(log_ms)} UTC`;
    found.push({
      kind: 'replay',
      word: say(clock.phase === 'ended' ? 'replay_ended' : 'replay'),
      text: [clock.title, speedText(clock.speed, speaker), time, clock.phase === 'ended' ? say('replay_ended_text') : say('replay_text')]
        .filter(Boolean).join(' · '),
    });
  }
  for (const status of ['Exercise', 'Test']) {
    if (clock?.status !== status && !statuses.includes(status)) continue;
    const key = status === 'Exercise' ? 'exercise' : 'test';
    found.push({ kind: 'exercise', word: [say(key), ...(echo[key] ?? [])].join(' · '), text: say(`${key}_text`) });
    break;
  }
  if (stale) found.push({ kind: 'stale', word: stale.word, text: stale.text });
  return found;
}

function speedText(speed, { say, figure }) {
  return speed === null || speed === undefined ? '' : say('replay_speed', { n: figure(speed) });
}

/** Show banners in `host`; the rule sheet goes into the root it is in, once. */
export function renderBanners(host, banners) {
  const root = host.getRootNode();
  if (!root.querySelector('style[data-banners]')) {
    const style = document.createElement('style');
    style.dataset.banners = '';
    style.textContent = STYLE;
    (root === document ? document.head : root).append(style);
  }
  list(
    host, banners, (banner) => banner.kind,
    (banner) => {
      const node = el('div', 'rc-banner', el('b'), el('span'));
      node.dataset.banner = banner.kind;
      mark(node, 'role', banner.kind === 'stale' ? 'alert' : 'note');
      return node;
    },
    (node, banner) => {
      put(node.children[0], banner.word);
      put(node.children[1], banner.text);
    },
  );
}

/** Put the frame of an exercise round `host`, or take it away. */
export function frame(host, on) {
  const there = host.querySelector(':scope > .rc-frame');
  if (on && !there) host.append(el('div', 'rc-frame'));
  if (!on && there) there.remove();
}
