// The officer's map. Streamlit calls the default export at every change of its
// data; the map itself is made once per element and only its sources change.

const SHOWN = new WeakMap();
const KINDS = ['unaccounted', 'needs_help', 'safe', 'other'];
const RATIO = 2;
const EARTH_M = 6371008.8;
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
  shown.ready.then(() => paint(shown)).catch((error) => refuse(shown, error));
  return () => {
    const last = SHOWN.get(parentElement);
    SHOWN.delete(parentElement);
    last?.map?.remove();
  };
}

function open(parentElement) {
  const root = parentElement.querySelector('.people-map');
  const shown = {
    root,
    box: root.querySelector('.map'),
    map: null,
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
  shown.colors = COLORS;
  shown.addBands = addBands;
  shown.updateBands = updateBands;
  shown.map = await createMap(shown.box, { interactive: true, language: shown.data.language });
  shown.map.on('error', (event) => console.error(event.error ?? event));
  // Where tests and support find it: WebGL has no DOM to look into.
  shown.root.peopleMap = shown;
  const library = await mapLibrary();
  shown.map.setMaxZoom(13);
  shown.map.addControl(new library.NavigationControl({ showCompass: false }), 'top-right');
  shown.map.addControl(new library.ScaleControl({ maxWidth: 90 }), 'bottom-right');
  layers(shown);
  hands(shown);
  new ResizeObserver(() => shown.map?.resize()).observe(shown.box);
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
    if (id.startsWith('mark:')) mark(shown, id);
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

// One mark: a shape for one person, a ring of buckets with the number for more.
function mark(shown, id) {
  const parts = id.split(':');
  const counts = KINDS.map((_, index) => Number(parts[index + 1]));
  const chosen = parts[5] === 'chosen';
  const total = counts.reduce((sum, count) => sum + count, 0);
  const radius = total === 1 ? 8 : Math.min(30, 11 + 1.5 * Math.sqrt(total));
  const side = Math.ceil((radius + 5) * 2) * RATIO;
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext('2d');
  pen.scale(RATIO, RATIO);
  pen.translate(side / RATIO / 2, side / RATIO / 2);
  if (chosen) ring(pen, radius + 3, '#ffffff', 2.5);
  if (total === 1) glyph(pen, KINDS[counts.indexOf(1)], radius, shown.colors);
  else donut(pen, counts, total, radius, shown.colors);
  if (!shown.map.hasImage(id)) {
    shown.map.addImage(id, pen.getImageData(0, 0, side, side), { pixelRatio: RATIO });
  }
}

function ring(pen, radius, color, width) {
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.strokeStyle = color;
  pen.lineWidth = width;
  pen.stroke();
}

function glyph(pen, kind, radius, colors) {
  pen.beginPath();
  if (kind === 'needs_help') {
    pen.moveTo(0, -radius);
    pen.lineTo(radius, radius * 0.8);
    pen.lineTo(-radius, radius * 0.8);
    pen.closePath();
  } else if (kind === 'safe') pen.rect(-radius * 0.78, -radius * 0.78, radius * 1.56, radius * 1.56);
  else pen.arc(0, 0, kind === 'other' ? radius * 0.6 : radius * 0.9, 0, 2 * Math.PI);
  pen.fillStyle = colors[kind];
  pen.strokeStyle = '#06121f';
  pen.lineWidth = 1.6;
  pen.fill();
  pen.stroke();
  const sign = { unaccounted: '?', needs_help: '!', safe: '✓', other: '' }[kind];
  pen.fillStyle = '#06121f';
  pen.font = '800 11px Inter, "DejaVu Sans", sans-serif';
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(sign, 0, kind === 'needs_help' ? 1.5 : 0.5);
}

function donut(pen, counts, total, radius, colors) {
  pen.beginPath();
  pen.arc(0, 0, radius, 0, 2 * Math.PI);
  pen.fillStyle = '#0c1826';
  pen.fill();
  const width = Math.max(4, radius * 0.28);
  let from = -Math.PI / 2;
  counts.forEach((count, index) => {
    if (!count) return;
    const to = from + (2 * Math.PI * count) / total;
    pen.beginPath();
    pen.arc(0, 0, radius - width / 2, from, to);
    pen.strokeStyle = colors[KINDS[index]];
    pen.lineWidth = width;
    pen.stroke();
    from = to;
  });
  ring(pen, radius, '#06121f', 1.2);
  // Someone who needs help is never lost in a big ring: the triangle is always there.
  pen.fillStyle = '#ffffff';
  pen.font = `700 ${radius > 18 ? 13 : 11}px Inter, "DejaVu Sans", sans-serif`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(String(total), 0, 0.5);
  if (!counts[1]) return;
  pen.save();
  pen.translate(radius * 0.72, -radius * 0.72);
  glyph(pen, 'needs_help', 6.5, colors);
  pen.restore();
}

// ------------------------------------------------------------------ painting
function paint(shown) {
  const { map, data } = shown;
  shown.places = places(data.people);
  map.getSource('people').setData(collection(shown.places.map((place) => feature('Point', [place.lon, place.lat], {
    ...place.counts,
    chosen: place.chosen,
    place: place.index,
  }))));
  const one = data.person;
  map.getSource('radius').setData(one && one.radius_m ? collection([feature('Polygon', [circle(one)], {})]) : EMPTY);
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

// People whose place is known to the same point share one mark with a number.
function places(people) {
  const chosen = new Set(people.chosen);
  const found = new Map();
  people.ids.forEach((id, row) => {
    const key = `${people.lon[row]},${people.lat[row]}`;
    let place = found.get(key);
    if (!place) {
      place = { index: found.size, lon: people.lon[row], lat: people.lat[row], ids: [], chosen: 0, counts: Object.fromEntries(KINDS.map((kind) => [kind, 0])) };
      found.set(key, place);
    }
    place.ids.push(id);
    place.counts[KINDS[people.kind[row]]] += 1;
    place.chosen += chosen.has(id) ? 1 : 0;
  });
  return [...found.values()];
}

function bands(shown) {
  if (shown.bandsUrl === shown.data.bands_url) return;
  const url = shown.data.bands_url;
  shown.bandsUrl = url;
  if (!url) {
    shown.updateBands(shown.map, EMPTY);
    return;
  }
  fetch(new URL(url, document.baseURI)).then(async (answer) => {
    if (!answer.ok) throw new Error(`${answer.status}`);
    const said = await answer.json();
    if (shown.bandsUrl !== url) return;
    shown.updateBands(shown.map, said);
    shown.bandBounds = bounds(said);
    fit(shown, false);
  }).catch((error) => {
    console.error(error);
    shown.bandsUrl = null;
    shown.root.querySelector('.hint').textContent = shown.data.words.bands_failed;
  });
}

// Once per situation, or when asked: nothing else moves the view.
function fit(shown, asked) {
  const key = shown.data.view_key;
  const all = collection(shown.places.map((place) => feature('Point', [place.lon, place.lat], {})));
  const to = shown.bandBounds ?? bounds(all);
  if (!to || (!asked && shown.fitted === key)) return;
  shown.fitted = key;
  shown.map.fitBounds(to, { padding: 44, maxZoom: 9, duration: 0 });
}

function bounds(said) {
  const corner = [180, 90, -180, -90];
  const walk = (part) => {
    if (typeof part[0] === 'number') {
      corner[0] = Math.min(corner[0], part[0]);
      corner[1] = Math.min(corner[1], part[1]);
      corner[2] = Math.max(corner[2], part[0]);
      corner[3] = Math.max(corner[3], part[1]);
    } else part.forEach(walk);
  };
  said.features.forEach((one) => walk(one.geometry.coordinates));
  return corner[0] > corner[2] ? null : [[corner[0], corner[1]], [corner[2], corner[3]]];
}

function circle({ lon_deg: lon, lat_deg: lat, radius_m: radius }) {
  const rad = Math.PI / 180;
  const far = radius / EARTH_M;
  return Array.from({ length: 65 }, (_, step) => {
    const bearing = (2 * Math.PI * step) / 64;
    const north = Math.asin(Math.sin(lat * rad) * Math.cos(far) + Math.cos(lat * rad) * Math.sin(far) * Math.cos(bearing));
    const east = lon * rad + Math.atan2(Math.sin(bearing) * Math.sin(far) * Math.cos(lat * rad), Math.cos(far) - Math.sin(lat * rad) * Math.sin(north));
    return [east / rad, north / rad];
  });
}

const feature = (type, coordinates, properties) => ({ type: 'Feature', properties, geometry: { type, coordinates } });
const collection = (features) => ({ type: 'FeatureCollection', features });

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
    pick(shown, shown.places.filter((place) => inside(place.lon, west, east) && place.lat >= south && place.lat <= north));
  };
  box.addEventListener('pointerup', end);
  box.addEventListener('pointercancel', end);

  map.on('click', async (event) => {
    if (event.originalEvent.shiftKey || shown.mode === 'box') return;
    if (shown.mode === 'draw') {
      shown.draft = [...shown.draft, [round(event.lngLat.lng), round(event.lngLat.lat)]];
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

// A box over the 180th meridian runs past 180, a place does not.
const inside = (lon, west, east) => [lon - 360, lon, lon + 360].some((turn) => turn >= west && turn <= east);
const round = (value) => Math.round(value * 1e5) / 1e5;

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
  const parts = points.map((point) => feature('Point', point, {}));
  if (points.length === 2) parts.push(feature('LineString', points, {}));
  if (points.length > 2) parts.push(feature('Polygon', [[...points, points[0]]], {}));
  shown.map.getSource('draft').setData(collection(parts));
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
