// The officer's map. Streamlit calls the default export at every change of its
// data; the map itself is made once per element and only its sources change.

const SHOWN = new WeakMap();
const KINDS = ['unaccounted', 'needs_help', 'safe', 'other'];
// Loaded with the map; nothing is drawn before it is there.
let geo = null;
const EMPTY = { type: 'FeatureCollection', features: [] };

export default function ({ parentElement, data, setTriggerValue }) {
  let shown = SHOWN.get(parentElement);
  if (!shown) {
    shown = open(parentElement);
    SHOWN.set(parentElement, shown);
  }
  shown.say = setTriggerValue;
  shown.data = data;
  shown.root.style.setProperty('--people-map-height', `${data.height_px}px`);
  tools(shown);
  legend(shown);
  shown.ready.then(() => { if (!shown.over) paint(shown); }).catch((error) => refuse(shown, error));
  return () => {
    const last = SHOWN.get(parentElement);
    if (!last) return;
    SHOWN.delete(parentElement);
    last.over = true;
    last.watcher?.disconnect();
    last.map?.remove();
  };
}

function open(parentElement) {
  const root = parentElement.querySelector('.people-map');
  const shown = {
    root,
    box: root.querySelector('.map'),
    map: null,
    over: false,
    mode: 'look',
    draft: [],
    drawn: '',
    fitted: null,
    bandsUrl: null,
    places: [],
  };
  shown.ready = start(parentElement, shown);
  return shown;
}

async function start(parentElement, shown) {
  const base = new URL('/assets/js/basemap.mjs', document.baseURI);
  const { createMap, mapLibrary, COLORS, addBands, updateBands } = await import(base.href);
  geo = await import(new URL('people_places.mjs', base).href);
  const { drawMark } = await import(new URL('people_marks.mjs', base).href);
  shown.colors = COLORS;
  shown.drawMark = drawMark;
  shown.addBands = addBands;
  shown.updateBands = updateBands;
  const library = await mapLibrary();
  if (shown.over) return;
  const map = await createMap(shown.box, { interactive: true, language: shown.data.language });
  if (shown.over) {
    map.remove();
    return;
  }
  shown.map = map;
  shown.map.on('error', (event) => console.error(event.error ?? event));
  // Where tests and support find it: WebGL has no DOM to look into.
  shown.root.peopleMap = shown;
  shown.map.setMaxZoom(13);
  shown.map.addControl(new library.NavigationControl({ showCompass: false }), 'top-right');
  shown.map.addControl(new library.ScaleControl({ maxWidth: 90 }), 'bottom-right');
  layers(shown);
  hands(shown);
  shown.watcher = new ResizeObserver(() => shown.map.resize());
  shown.watcher.observe(shown.box);
}

function refuse(shown, error) {
  // A crisis room must see that the map is missing, and why; the table goes on.
  console.error(error);
  shown.root.querySelector('.hint').textContent = `${shown.data.words.map_failed} (${error.message})`;
}

// ------------------------------------------------------------------ layers
function layers(shown) {
  const { map } = shown;
  shown.addBands(map, EMPTY);
  map.setMissingStyleImageResolver(async (id) => {
    if (id.startsWith('mark:') && !map.hasImage(id)) map.addImage(id, ...shown.drawMark(id, KINDS, shown.colors));
  });
  map.addSource('radius', { type: 'geojson', data: EMPTY });
  map.addLayer({ id: 'radius-fill', type: 'fill', source: 'radius', paint: { 'fill-color': '#ffffff', 'fill-opacity': 0.1 } });
  map.addLayer({ id: 'radius-line', type: 'line', source: 'radius', paint: { 'line-color': '#ffffff', 'line-width': 2, 'line-dasharray': [2, 2] } });
  const sums = Object.fromEntries([...KINDS, 'chosen'].map((kind) => [kind, ['+', ['get', kind]]]));
  map.addSource('people', {
    type: 'geojson',
    data: EMPTY,
    cluster: true,
    clusterRadius: 26,
    clusterMaxZoom: 22,
    clusterProperties: sums,
  });
  const image = ['concat', 'mark:', ...KINDS.flatMap((kind) => [['to-string', ['get', kind]], ':']), ['case', ['>', ['get', 'chosen'], 0], 'chosen', 'plain']];
  map.addLayer({
    id: 'people',
    type: 'symbol',
    source: 'people',
    layout: {
      'icon-image': image,
      'icon-allow-overlap': true,
      'icon-ignore-placement': true,
      'symbol-sort-key': ['+', ['*', 4, ['get', 'needs_help']], ['get', 'unaccounted']],
    },
  });
  map.addSource('draft', { type: 'geojson', data: EMPTY });
  map.addLayer({ id: 'draft-fill', type: 'fill', source: 'draft', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': '#b18cff', 'fill-opacity': 0.25 } });
  map.addLayer({ id: 'draft-line', type: 'line', source: 'draft', filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': '#d7c4ff', 'line-width': 3 } });
  map.addLayer({ id: 'draft-point', type: 'circle', source: 'draft', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 5, 'circle-color': '#ffffff', 'circle-stroke-color': '#6b3fd4', 'circle-stroke-width': 2 } });
}

// ------------------------------------------------------------------ painting
function paint(shown) {
  const { map, data } = shown;
  shown.places = geo.places(data.people, KINDS);
  map.getSource('people').setData(geo.collection(shown.places.map((place) => geo.feature('Point', [place.lon, place.lat], {
    ...place.counts,
    chosen: place.chosen,
    place: place.index,
  }))));
  const one = data.person;
  map.getSource('radius').setData(one && one.radius_m ? geo.collection([geo.feature('Polygon', [geo.circle(one)], {})]) : EMPTY);
  if (JSON.stringify(data.draft ?? []) !== shown.drawn) {
    shown.drawn = JSON.stringify(data.draft ?? []);
    shown.draft = data.draft ?? [];
    shown.mode = shown.draft.length ? 'look' : shown.mode;
  }
  if (data.drawing !== shown.drawing) {
    shown.drawing = data.drawing;
    shown.mode = data.drawing ? 'draw' : 'look';
  }
  draft(shown);
  tools(shown);
  bands(shown);
  fit(shown, false);
  map.once('idle', () => {
    shown.root.dataset.ready = String(Number(shown.root.dataset.ready) + 1);
  });
  map.triggerRepaint();
}

function bands(shown) {
  if (shown.bandsUrl === shown.data.bands_url) return;
  const url = shown.data.bands_url;
  shown.bandsUrl = url;
  shown.bandBounds = null;
  shown.bandsComing = Boolean(url);
  if (!url) {
    shown.updateBands(shown.map, EMPTY);
    return;
  }
  fetch(new URL(url, document.baseURI)).then(async (answer) => {
    if (!answer.ok) throw new Error(`${answer.status}`);
    const said = await answer.json();
    if (shown.over || shown.bandsUrl !== url) return;
    shown.updateBands(shown.map, said);
    shown.bandBounds = geo.bounds(said);
    shown.bandsComing = false;
    fit(shown, false);
  }).catch((error) => {
    if (shown.over) return;
    console.error(error);
    shown.bandsComing = false;
    fit(shown, false);
    shown.root.querySelector('.hint').textContent = shown.data.words.bands_failed;
  });
}

// Once per situation, or when asked: nothing else moves the view.
function fit(shown, asked) {
  const key = shown.data.view_key;
  const to = geo.view(shown.bandBounds, shown.places);
  if (!to || (!asked && (shown.bandsComing || shown.fitted === key))) return;
  shown.fitted = key;
  shown.map.fitBounds(to, { padding: 44, maxZoom: 9, duration: 0 });
}

// ------------------------------------------------------------------ hands
function hands(shown) {
  const { map, box } = shown;
  map.boxZoom.disable();
  map.doubleClickZoom.disable();
  box.setAttribute('aria-label', shown.data.words.map_label);
  let from = null;
  let frame = null;
  const at = (event) => {
    const edge = box.getBoundingClientRect();
    return [event.clientX - edge.left, event.clientY - edge.top];
  };
  box.addEventListener('pointerdown', (event) => {
    if (event.button !== 0 || !(event.shiftKey || shown.mode === 'box')) return;
    event.preventDefault();
    event.stopPropagation();
    map.dragPan.disable();
    from = at(event);
    frame = document.createElement('div');
    frame.className = 'box';
    shown.root.append(frame);
    box.setPointerCapture(event.pointerId);
  }, true);
  box.addEventListener('pointermove', (event) => {
    if (!from) return;
    const to = at(event);
    Object.assign(frame.style, {
      left: `${Math.min(from[0], to[0])}px`,
      top: `${Math.min(from[1], to[1])}px`,
      width: `${Math.abs(from[0] - to[0])}px`,
      height: `${Math.abs(from[1] - to[1])}px`,
    });
  });
  const end = (event) => {
    if (!from) return;
    const corners = [map.unproject(from), map.unproject(at(event))];
    from = null;
    frame.remove();
    map.dragPan.enable();
    if (event.type === 'pointercancel') return;
    shown.mode = 'look';
    tools(shown);
    const [west, east] = [corners[0].lng, corners[1].lng].sort((a, b) => a - b);
    const [south, north] = [corners[0].lat, corners[1].lat].sort((a, b) => a - b);
    pick(shown, shown.places.filter((place) => geo.inside(place.lon, west, east) && place.lat >= south && place.lat <= north));
  };
  box.addEventListener('pointerup', end);
  box.addEventListener('pointercancel', end);

  map.on('click', async (event) => {
    if (event.originalEvent.shiftKey || shown.mode === 'box') return;
    if (shown.mode === 'draw') {
      shown.draft = [...shown.draft, [geo.round(event.lngLat.lng), geo.round(event.lngLat.lat)]];
      draft(shown);
      tools(shown);
      return;
    }
    const hit = map.queryRenderedFeatures(event.point, { layers: ['people'] })[0];
    if (!hit) return;
    const under = await members(shown, hit);
    if (under.length === 1 && under[0].ids.length === 1) shown.say('person', { id: under[0].ids[0], nonce: Date.now() });
    else pick(shown, under);
  });
  map.on('dblclick', (event) => {
    if (shown.mode !== 'draw') return;
    event.preventDefault();
    finish(shown);
  });
  map.on('mousemove', 'people', (event) => {
    const got = event.features[0].properties;
    tip(shown, event.point, KINDS.filter((kind) => got[kind]).map((kind) => `${shown.data.words[kind]} ${got[kind]}`).join(' · '));
  });
  map.on('mouseleave', 'people', () => tip(shown, null, ''));
}

async function members(shown, hit) {
  if (!hit.properties.cluster) return [shown.places[hit.properties.place]];
  const source = shown.map.getSource('people');
  const leaves = await source.getClusterLeaves(hit.properties.cluster_id, Infinity, 0);
  return leaves.map((leaf) => shown.places[leaf.properties.place]);
}

function pick(shown, found) {
  const ids = found.flatMap((place) => place.ids);
  shown.say('picked', { ids, nonce: Date.now() });
}

function tip(shown, point, text) {
  shown.root.querySelector('.tip')?.remove();
  shown.map.getCanvas().style.cursor = text ? 'pointer' : '';
  if (!text) return;
  const box = document.createElement('div');
  box.className = 'tip';
  box.textContent = text;
  Object.assign(box.style, { left: `${point.x + 12}px`, top: `${point.y + 12}px` });
  shown.root.append(box);
}

// ------------------------------------------------------------------ drawing
function draft(shown) {
  const points = shown.draft;
  const parts = points.map((point) => geo.feature('Point', point, {}));
  if (points.length === 2) parts.push(geo.feature('LineString', points, {}));
  if (points.length > 2) parts.push(geo.feature('Polygon', [[...points, points[0]]], {}));
  shown.map.getSource('draft').setData(geo.collection(parts));
}

// A double click is two clicks before it is one: the last point came twice.
function finish(shown) {
  const points = shown.draft.filter((point, index) => index === 0 || String(point) !== String(shown.draft[index - 1]));
  shown.draft = points;
  draft(shown);
  if (points.length < 3) return;
  shown.mode = 'look';
  shown.drawn = JSON.stringify(points);
  tools(shown);
  shown.say('area', { points, nonce: Date.now() });
}

function clear(shown) {
  shown.draft = [];
  shown.drawn = '[]';
  draft(shown);
  tools(shown);
  shown.say('area', { points: [], nonce: Date.now() });
}

function tools(shown) {
  const { data, mode, draft: points } = shown;
  const { words } = data;
  const set = (next) => () => {
    shown.mode = shown.mode === next ? 'look' : next;
    tools(shown);
  };
  const wanted = [
    ['fit', words.map_fit, () => fit(shown, true), null, !shown.map],
    ['box', words.map_box, set('box'), mode === 'box', !shown.map],
    ['draw', words.map_draw, set('draw'), mode === 'draw', !shown.map],
  ];
  if (mode === 'draw' || points.length) {
    wanted.push(['undo', words.map_undo, () => { shown.draft = points.slice(0, -1); draft(shown); tools(shown); }, null, !points.length || mode !== 'draw']);
    wanted.push(['done', words.map_done, () => finish(shown), null, points.length < 3 || mode !== 'draw']);
    wanted.push(['clear', words.map_clear, () => clear(shown), null, !points.length]);
  }
  const bar = shown.root.querySelector('.tools');
  bar.setAttribute('aria-label', words.map_tools);
  const focused = bar.querySelector(':focus')?.dataset.tool;
  bar.replaceChildren(...wanted.map(([name, text, act, pressed, disabled]) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.tool = name;
    button.textContent = text;
    button.disabled = disabled;
    if (pressed !== null) button.setAttribute('aria-pressed', String(pressed));
    button.addEventListener('click', act);
    return button;
  }));
  if (focused) bar.querySelector(`[data-tool="${focused}"]`)?.focus();
  shown.box.classList.toggle('picking', mode !== 'look');
  const hints = { look: '', box: words.hint_box, draw: words.hint_draw };
  shown.root.querySelector('.hint').textContent = hints[mode];
}

function legend(shown) {
  const box = shown.root.querySelector('.legend');
  const shape = {
    unaccounted: '<circle cx="8" cy="8" r="7"/>',
    needs_help: '<path d="M8 1 15 14H1z"/>',
    safe: '<rect x="2" y="2" width="12" height="12"/>',
    other: '<circle cx="8" cy="8" r="4.5"/>',
  };
  const fill = { unaccounted: '#FFC533', needs_help: '#FF6A5B', safe: '#4FB3F6', other: '#8aa0b6' };
  box.hidden = false;
  box.replaceChildren(...KINDS.map((kind) => {
    const line = document.createElement('span');
    line.innerHTML = `<svg viewBox="0 0 16 16" fill="${fill[kind]}" stroke="#06121f" aria-hidden="true">${shape[kind]}</svg>`;
    line.append(shown.data.words[kind]);
    return line;
  }));
}
