// The wall's map: bands, rings of people, epicentres. It moves only when the wall turns.

import { addBands, clearPlaces, createMap, highlightCountries, mapLibrary, updateBands } from './basemap.mjs';
import { radius, ringSvg } from './charts.mjs';
import { draw, el, list, mark, put } from './dom.mjs';
import { shown, totalText } from './figures.mjs';
import { BUCKETS, MARKS } from './glyphs.mjs';
import { boundsOf, placeNames, scaleOf, worldBounds } from './wall_place.mjs';
import { areaName } from './wall_side.mjs';

const EMPTY = Object.freeze({ type: 'FeatureCollection', features: [] });
const SQUARE = 25;
const AGAIN_MS = 15_000;
const LOST_MS = 3_000;

/** A band's name along its line: MMI VII, possible ring; marked where estimated. */
export function bandLabel(band, hazard, { say, or }) {
  const plain = hazard === 'earthquake' && /^[IVX]+$/.test(band.band) ? `MMI ${band.band}` : or(`band_${band.band}`, band.band);
  return band.estimated ? `${plain} (${say('estimated_short')})` : plain;
}

/** The zones' GeoJSON with labels and marks joined in from the snapshot's bands. */
export function labelled(geojson, situation, speaker) {
  const bands = new Map(situation.bands.map((band) => [`${band.zone_id}|${band.version}`, band]));
  const features = geojson.features.map((feature) => {
    const band = bands.get(`${feature.properties.zone_id}|${feature.properties.version}`) ?? { ...feature.properties, estimated: false };
    return { ...feature, properties: { ...feature.properties, label: bandLabel(band, situation.hazard, speaker) } };
  });
  features.sort((one, other) => one.properties.rank - other.properties.rank);
  return { type: 'FeatureCollection', features };
}

/** The marks of a moment: rings and squares of areas, stars of incidents. */
export function marksOf(now, situation) {
  const areas = (situation?.areas ?? []).filter((area) => area.lon_deg !== null && area.lat_deg !== null && area.code !== '');
  const own = new Set((situation?.incidents ?? []).map((one) => one.incident_id));
  const stars = [...(situation?.incidents ?? []), ...now.situations.flatMap((one) => one.incidents), ...now.unplaced]
    .filter((one, at, all) => one.lon_deg !== null && all.findIndex((other) => other.incident_id === one.incident_id) === at)
    .map((one) => ({ key: `star|${one.incident_id}`, kind: 'star', lon: one.lon_deg, lat: one.lat_deg, name: one.title, word: centreWord(one.hazard), own: own.has(one.incident_id) }));
  const exact = areas.filter((area) => area.code.includes('-')).map((area) => shown(area).count);
  const most = Math.max(0, ...exact);
  const rings = areas
    .map((area) => ({ key: `area|${area.code}`, kind: area.code.includes('-') ? 'ring' : 'square', lon: area.lon_deg, lat: area.lat_deg, area, size: radius(area, most) }))
    .sort((one, other) => other.size - one.size);
  return { stars, rings };
}

/** Make the wall's map; `refs` are nodes of the wall, `zonesUrl(id, key)` where geometry is. */
export function wallMap(refs, { speaker, zonesUrl, unit, onIdle, onFault }) {
  let map = null;
  let library = null;
  let ended = false;
  let drawn = { id: null, key: null, framed: false };
  let zones = EMPTY;
  let last = null;
  let again = null;
  let retry = null;
  let lost = null;
  let cleared = '';
  let placed = '';
  const markers = new Map();

  const start = async () => {
    try {
      library = await mapLibrary();
      map = await createMap(refs.map, { language: speaker.language, bounds: worldBounds() });
    } catch (error) {
      onFault(String(error.message ?? error));
      again = setTimeout(start, AGAIN_MS);
      return;
    }
    if (ended) {
      map.remove();
      return;
    }
    onFault(null);
    addBands(map);
    map.on('moveend', settle);
    map.on('resize', settle);
    // A graphics driver takes pictures away; one that is not given back is drawn on a new map.
    map.on('webglcontextlost', () => { lost = setTimeout(anew, LOST_MS); });
    map.on('webglcontextrestored', () => clearTimeout(lost));
    drawn = { id: null, key: null, framed: false };
    if (last) render(...last);
    map.once('idle', onIdle);
    map.triggerRepaint();
  };

  const anew = () => {
    for (const { marker } of markers.values()) marker.remove();
    markers.clear();
    const gone = map;
    map = null;
    [cleared, placed] = ['', ''];
    gone.remove();
    clearTimeout(lost);
    start();
  };

  const settle = () => {
    const metres = 40_075_016.7 * Math.cos((map.getCenter().lat * Math.PI) / 180) / (512 * 2 ** map.getZoom());
    const { km, px } = scaleOf(metres, 190 * unit());
    put(refs.scale.firstElementChild, `${speaker.figure(km)} km`);
    refs.scale.style.width = `${Math.round(px)}px`;
    if (last) names(last[1]);
  };

  const frame = (situation) => {
    const pad = unit();
    const padding = { top: 88 * pad, bottom: 96 * pad, left: 70 * pad, right: 80 * pad };
    const bounds = situation === null ? worldBounds() : boundsOf(situation, zones);
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    map.fitBounds(bounds, { padding: situation === null ? 0 : padding, maxZoom: 8, duration: still ? 0 : 900, linear: true });
  };

  const fetched = async (situation) => {
    const { situation_id: id, zones_key: key } = situation;
    drawn = { ...drawn, key };
    try {
      const answer = await fetch(zonesUrl(id, key));
      if (!answer.ok) throw new Error(`${answer.status}`);
      const geojson = await answer.json();
      if (ended || drawn.id !== id || drawn.key !== key) return;
      zones = labelled(geojson, situation, speaker);
      updateBands(map, zones);
      onFault(null);
      // The first geometry completes the frame; later versions do not move the view.
      if (!drawn.framed) frame(situation);
      drawn = { ...drawn, framed: drawn.framed || zones.features.length > 0 };
    } catch (error) {
      if (drawn.id !== id) return;
      onFault(speaker.say('zones_fault', { why: String(error.message ?? error) }));
      retry = setTimeout(() => {
        if (drawn.id === id) drawn = { ...drawn, key: null };
      }, AGAIN_MS);
    }
  };

  const place = (key, node, item) => {
    const found = markers.get(key);
    if (found) {
      if (found.lon !== item.lon || found.lat !== item.lat) {
        found.marker.setLngLat([item.lon, item.lat]);
        Object.assign(found, { lon: item.lon, lat: item.lat });
      }
      return;
    }
    const marker = new library.Marker({ element: node }).setLngLat([item.lon, item.lat]).addTo(map);
    markers.set(key, { marker, node, lon: item.lon, lat: item.lat });
  };

  const render = (now, situation) => {
    last = [now, situation];
    if (map === null) return;
    const id = situation?.situation_id ?? null;
    if (id !== drawn.id) {
      drawn = { id, key: null, framed: false };
      zones = EMPTY;
      updateBands(map, EMPTY);
      highlightCountries(map, [...new Set((situation?.areas ?? []).map((area) => area.country).filter(Boolean))]);
      frame(situation);
    }
    const codes = (situation?.areas ?? []).map((area) => area.code).sort();
    if (codes.join() !== cleared) {
      cleared = codes.join();
      clearPlaces(map, codes);
    }
    if (situation !== null && situation.zones_key !== drawn.key) fetched(situation);
    const { stars, rings } = marksOf(now, situation);
    const wanted = new Set();
    for (const star of stars) {
      wanted.add(star.key);
      const node = markers.get(star.key)?.node ?? starNode();
      mark(node, 'data-own', star.own);
      mark(node, 'aria-label', `${speaker.say(star.word)}: ${star.name}`);
      place(star.key, node, star);
    }
    for (const ring of rings) {
      wanted.add(ring.key);
      const node = markers.get(ring.key)?.node ?? ringNode(ring.kind);
      patchRing(node, ring);
      place(ring.key, node, ring);
    }
    for (const [key, { marker }] of markers) {
      if (wanted.has(key)) continue;
      marker.remove();
      markers.delete(key);
    }
    names(situation);
  };

  const starNode = () => {
    const node = el('div', 'star', el('i', 'pulse'), el('i', 'pulse late'), el('span'));
    draw(node.lastChild, MARKS.epicentre);
    mark(node, 'role', 'img');
    return node;
  };

  const ringNode = (kind) => {
    const node = el('div', kind, el('i'), el('b'), el('span'));
    mark(node, 'role', 'img');
    return node;
  };

  const patchRing = (node, { kind, area, size }) => {
    const half = (kind === 'square' ? SQUARE : size) * unit();
    node.style.setProperty('--half', `${half.toFixed(1)}px`);
    if (kind === 'ring') draw(node.children[0], ringSvg(area, size));
    const total = totalText(area, speaker.figure);
    put(node.children[1], total);
    put(node.children[2], areaName(area, speaker));
    const { say, cell } = speaker;
    mark(node, 'aria-label', `${areaName(area, speaker)}: ${say('number_known')} ${total}, ${say('unaccounted')} ${cell(area.unaccounted)}, ${say('needs_help')} ${cell(area.needs_help)}`);
  };

  // Names are put where they cover nothing; measured only when something moved or was renamed.
  const names = (situation) => {
    if (situation === null) return;
    const scale = unit();
    const { rings: all, stars } = marksOf(last[0], situation);
    const rings = all.filter((ring) => markers.has(ring.key));
    const points = rings.map((ring) => ({ ...map.project([ring.lon, ring.lat]), ring }));
    const signature = JSON.stringify([scale, points.map(({ x, y, ring }) => [Math.round(x), Math.round(y), ring.size, ring.area.name])]);
    if (signature === placed) return;
    placed = signature;
    const taken = stars.filter((star) => star.own).map((star) => {
      const { x, y } = map.project([star.lon, star.lat]);
      return { left: x - 15 * scale, right: x + 15 * scale, top: y - 15 * scale, bottom: y + 15 * scale };
    });
    const items = points.map(({ x, y, ring }) => {
      const name = markers.get(ring.key).node.children[2];
      return { x, y, radius: (ring.kind === 'square' ? SQUARE : ring.size) * scale + 2, width: name.textContent.length * 9.6 * scale, height: 22 * scale };
    });
    placeNames(items, taken).forEach((side, at) => mark(markers.get(points[at].ring.key).node, 'data-side', side));
  };

  start();
  return {
    render,
    resize: () => {
      placed = '';
      map?.resize();
      if (map && last) frame(last[1]);
    },
    end: () => {
      ended = true;
      clearTimeout(again);
      clearTimeout(retry);
      map?.remove();
      clearTimeout(lost);
    },
  };
}

// Only what shakes has an epicentre.
const centreWord = (hazard) => (hazard === 'earthquake' ? 'epicentre' : 'legend_incident');

/** What a legend has to explain of a situation: nothing that is not drawn. */
export function legendOf(situation) {
  const bands = situation?.bands ?? [];
    return [
    [BUCKETS.unaccounted, 'unaccounted'], [BUCKETS.needs_help, 'needs_help'], [BUCKETS.safe, 'safe'], [BUCKETS.other, 'other'],
    [MARKS.ring, 'legend_ring'], [MARKS.country, 'legend_country'], [MARKS.epicentre, centreWord(situation?.hazard)],
    ...(bands.some((band) => !band.possible_only) ? [[MARKS.band, 'legend_band']] : []),
    ...(bands.some((band) => band.possible_only) ? [[MARKS.possible, 'legend_possible']] : []),
  ];
}

/** Patch the legend; the same glyphs as on map and numbers. */
export function renderLegend(refs, situation, speaker) {
  list(refs.legend, legendOf(situation), ([, key]) => key, () => el('li', '', el('i', 'g'), el('span')), (node, [glyph, key]) => {
    draw(node.children[0], glyph);
    put(node.children[1], speaker.say(key));
  });
}
