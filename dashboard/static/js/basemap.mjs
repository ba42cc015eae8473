// The offline basemap, shared by the wall and the officer's map: sea, countries,
// borders, names, and the bands of footprints. Every byte comes from this host.

const ASSETS = new URL('../', import.meta.url);
const FONT = ['Inter', 'DejaVu Sans', 'sans-serif'];

/** Colours of buckets and of the map, the same on every screen. */
export const COLORS = Object.freeze({
  unaccounted: '#FFC533',
  needs_help: '#FF6A5B',
  safe: '#4FB3F6',
  other: '#8aa0b6',
  withheld: '#5d7085',
  sea: '#07111c',
  land: '#15263a',
  land_affected: '#22384f',
  border: '#5b7690',
  coast: '#2f5378',
  label: '#7d93aa',
  place: '#93a8bd',
  halo: '#0a1522',
  epicentre: '#FF4433',
});

/** Colour of a band by rank: 1 possible, then worse and worse. */
export const BAND_COLORS = Object.freeze(['#b99a3c', '#e0a030', '#f08228', '#f0582a', '#ff3b2f']);

let loading = null;

function libraries() {
  loading ??= (async () => {
    const [maplibre, pmtiles] = await Promise.all([
      import(new URL('vendor/maplibre-gl.mjs', ASSETS)),
      import(new URL('vendor/pmtiles.mjs', ASSETS)),
    ]);
    const protocol = new pmtiles.Protocol();
    const archive = new pmtiles.PMTiles(new URL('world.pmtiles', ASSETS).href);
    protocol.add(archive);
    maplibre.addProtocol('pmtiles', protocol.tile);
    const described = await archive.getMetadata();
    const layers = new Map(
      (described.vector_layers ?? []).map((layer) => [layer.id, Object.keys(layer.fields ?? {})]),
    );
    return { maplibre, layers, url: `pmtiles://${new URL('world.pmtiles', ASSETS).href}` };
  })();
  // A failed load is not remembered: the next map tries again.
  loading.catch(() => { loading = null; });
  return loading;
}

/** The library itself, for markers; loaded once a page. */
export async function mapLibrary() {
  return (await libraries()).maplibre;
}

// A shadow root sees no stylesheet of the page, so the map's own goes beside it.
function styled(container) {
  const root = container.getRootNode();
  const holder = root instanceof ShadowRoot ? root : document.head;
  if (holder.querySelector('link[data-maplibre]')) return Promise.resolve();
  const link = document.createElement('link');
  link.rel = 'stylesheet';
  link.href = new URL('vendor/maplibre-gl.css', ASSETS).href;
  link.dataset.maplibre = '';
  const settled = new Promise((done) => {
    link.addEventListener('load', done, { once: true });
    link.addEventListener('error', done, { once: true });
  });
  holder.append(link);
  return settled;
}

// Country names in the reader's language, by alpha-2 code; the tiles' own name else.
function countryName(language, fields) {
  const key = fields.includes('code') ? 'code' : fields.includes('iso2') ? 'iso2' : null;
  const own = ['coalesce', ['get', 'name'], ''];
  if (key === null || typeof Intl.DisplayNames === 'undefined') return own;
  const names = new Intl.DisplayNames([language], { type: 'region', fallback: 'none' });
  const table = {};
  for (let first = 65; first <= 90; first += 1) {
    for (let second = 65; second <= 90; second += 1) {
      const code = String.fromCharCode(first, second);
      const name = names.of(code);
      if (name !== undefined) table[code] = name;
    }
  }
  return ['coalesce', ['get', ['coalesce', ['get', key], ''], ['literal', table]], own];
}

function style({ url, layers }, language) {
  const at = { source: 'world' };
  const countries = layers.has('countries') ? 'countries' : [...layers.keys()][0];
  const fields = layers.get(countries) ?? [];
  const rims = layers.has('borders') ? 'borders' : countries;
  const names = ['labels', 'places', 'names'].find((name) => layers.has(name)) ?? countries;
  return {
    version: 8,
    sources: { world: { type: 'vector', url }, places: { type: 'geojson', data: new URL('vendor/places.geojson', ASSETS).href } },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': COLORS.sea } },
      {
        ...at, id: 'coast-glow', type: 'line', 'source-layer': countries,
        paint: { 'line-color': COLORS.coast, 'line-width': ['interpolate', ['linear'], ['zoom'], 1, 2, 5, 7], 'line-blur': ['interpolate', ['linear'], ['zoom'], 1, 2, 5, 7], 'line-opacity': 0.55 },
      },
      {
        ...at, id: 'land', type: 'fill', 'source-layer': countries,
        paint: { 'fill-color': COLORS.land, 'fill-outline-color': COLORS.coast },
      },
      {
        ...at, id: 'land-affected', type: 'fill', 'source-layer': countries,
        filter: ['boolean', false],
        paint: { 'fill-color': COLORS.land_affected, 'fill-outline-color': COLORS.coast },
      },
      {
        ...at, id: 'borders', type: 'line', 'source-layer': rims,
        paint: { 'line-color': COLORS.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 1, 0.5, 5, 1.5], 'line-dasharray': [4, 3] },
      },
      {
        ...at, id: 'country-names', type: 'symbol', 'source-layer': names,
        layout: {
          'text-field': countryName(language, layers.get(names) ?? []),
          'text-font': FONT,
          'text-transform': 'uppercase',
          'text-letter-spacing': 0.28,
          'text-size': ['interpolate', ['linear'], ['zoom'], 1, 11, 6, 20],
          'text-max-width': 8,
          'text-padding': 24,
        },
        paint: {
          'text-color': COLORS.label, 'text-halo-color': COLORS.halo, 'text-halo-width': 1.4,
          'text-opacity': 0.85,
        },
      },
      {
        id: 'places', type: 'symbol', source: 'places', minzoom: 4.5,
        layout: {
          'text-field': ['concat', '•  ', ['get', 'name']], 'text-font': FONT, 'text-size': 15,
          'text-anchor': 'left', 'text-offset': [-0.35, 0], 'text-padding': 10,
        },
        paint: { 'text-color': COLORS.place, 'text-halo-color': COLORS.halo, 'text-halo-width': 1.4 },
      },
    ],
    metadata: { countries, fields },
  };
}

/**
 * Make a map with the offline basemap; resolves after its `load`.
 *
 * `bounds` is [[west, south], [east, north]] in degrees. Rejects with a
 * sentence where the tiles or the library cannot be had; nothing is left behind.
 */
export async function createMap(container, { interactive = false, bounds = null, language = 'en' } = {}) {
  const [found] = await Promise.all([libraries(), styled(container)]);
  const map = new found.maplibre.Map({
    container,
    style: style(found, language),
    interactive,
    attributionControl: false,
    fadeDuration: 0,
    maxZoom: 9,
    renderWorldCopies: true,
    ...(bounds ? { bounds, fitBoundsOptions: { padding: 40 } } : { center: [15, 25], zoom: 1.3 }),
  });
  try {
    await new Promise((done, failed) => {
      map.once('load', done);
      map.once('error', (event) => failed(event.error ?? new Error('the map could not be drawn')));
    });
  } catch (error) {
    // A browser has few WebGL contexts, and the wall tries again and again.
    map.remove();
    throw error;
  }
  return map;
}

/** Light up the countries of these alpha-2 codes; `names` where tiles have no code. */
export function highlightCountries(map, codes, names = []) {
  const fields = map.getStyle().metadata?.fields ?? [];
  const key = ['code', 'iso2'].find((field) => fields.includes(field));
  map.setFilter(
    'land-affected',
    key ? ['in', ['get', key], ['literal', codes]] : ['in', ['get', 'name'], ['literal', names]],
  );
}

/** Name no cities in these areas (ISO 3166-2): their rings stand there. */
export function clearPlaces(map, areas) {
  map.setFilter('places', ['!', ['in', ['get', 'admin1'], ['literal', areas]]]);
}

const EMPTY = Object.freeze({ type: 'FeatureCollection', features: [] });
const RANK = ['coalesce', ['get', 'rank'], 2];
const POSSIBLE = ['to-boolean', ['get', 'possible_only']];
const COLOR = ['step', RANK, BAND_COLORS[0], 2, BAND_COLORS[1], 3, BAND_COLORS[2], 4, BAND_COLORS[3], 5, BAND_COLORS[4]];
const LABEL = ['coalesce', ['get', 'label'], ['get', 'band'], ''];

/**
 * Draw the bands of footprints: graded fills, dashed where only possible.
 *
 * Features carry `band`, `rank`, `possible_only`; `label` replaces the band's
 * name along its line.
 */
export function addBands(map, geojson = EMPTY) {
  if (map.getSource('bands')) {
    updateBands(map, geojson);
    return;
  }
  map.addSource('bands', { type: 'geojson', data: geojson, tolerance: 0.6 });
  const under = map.getLayer('country-names') ? 'country-names' : undefined;
  map.addLayer({
    id: 'bands-fill', type: 'fill', source: 'bands',
    layout: { 'fill-sort-key': RANK },
    paint: {
      'fill-color': COLOR,
      'fill-opacity': ['case', POSSIBLE, 0.08, ['step', RANK, 0.14, 3, 0.22, 4, 0.34]],
      'fill-antialias': false,
    },
  }, under);
  map.addLayer({
    id: 'bands-line', type: 'line', source: 'bands', filter: ['!', POSSIBLE],
    paint: { 'line-color': COLOR, 'line-width': ['step', RANK, 1.6, 4, 2.4] },
  }, under);
  map.addLayer({
    id: 'bands-line-possible', type: 'line', source: 'bands', filter: POSSIBLE,
    paint: { 'line-color': COLOR, 'line-width': 1.8, 'line-dasharray': [4, 3] },
  }, under);
  map.addLayer({
    id: 'bands-label', type: 'symbol', source: 'bands',
    layout: {
      'symbol-placement': 'line', 'symbol-spacing': 620,
      'text-field': LABEL, 'text-font': FONT, 'text-size': 16, 'text-max-angle': 40,
      'symbol-sort-key': ['-', 0, RANK],
    },
    paint: { 'text-color': '#ffd9a8', 'text-halo-color': '#1a0d06', 'text-halo-width': 2 },
  });
}

/** Replace the bands' geometry; the layers stay. */
export function updateBands(map, geojson) {
  map.getSource('bands').setData(geojson ?? EMPTY);
}
