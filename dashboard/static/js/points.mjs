// The analyst's map: points of people or incidents in columns, or areas of zones,
// over the offline basemap. It is drawn anew only when the rows change.

import { addBands, createMap, updateBands } from './basemap.mjs';

const maps = new WeakMap();

function boundsOf(lon, lat) {
  if (lon.length === 0) return null;
  let [west, south, east, north] = [180, 90, -180, -90];
  for (let i = 0; i < lon.length; i += 1) {
    west = Math.min(west, lon[i]); east = Math.max(east, lon[i]);
    south = Math.min(south, lat[i]); north = Math.max(north, lat[i]);
  }
  const pad = Math.max(0.2, (east - west) * 0.05, (north - south) * 0.05);
  return [
    [Math.max(-180, west - pad), Math.max(-85, south - pad)],
    [Math.min(180, east + pad), Math.min(85, north + pad)],
  ];
}

function cornersOf(geojson) {
  const [lon, lat] = [[], []];
  const walk = (one) => {
    if (typeof one[0] === 'number') { lon.push(one[0]); lat.push(one[1]); } else one.forEach(walk);
  };
  for (const feature of geojson.features) {
    const shape = feature.geometry;
    for (const one of shape?.geometries ?? (shape ? [shape] : [])) walk(one.coordinates);
  }
  return boundsOf(lon, lat);
}

function collection(data) {
  return {
    type: 'FeatureCollection',
    features: data.lon.map((lon, i) => ({
      type: 'Feature',
      geometry: { type: 'Point', coordinates: [lon, data.lat[i]] },
      properties: { name: data.name[i], group: data.group[i] },
    })),
  };
}

function legend(root, groups) {
  const list = root.querySelector('.legend');
  list.replaceChildren(...groups.filter((one) => one.name).map((one) => {
    const line = document.createElement('li');
    const dot = document.createElement('i');
    dot.style.background = one.color;
    line.append(dot, one.name);
    return line;
  }));
  list.hidden = list.childElementCount === 0;
}

function drawPoints(map, data) {
  const source = map.getSource('points');
  const color = data.groups.length > 1
    ? ['match', ['get', 'group'], ...data.groups.flatMap((one, i) => [i, one.color]), '#8aa0b6']
    : data.groups[0]?.color ?? '#4FB3F6';
  if (source) {
    source.setData(collection(data));
    map.setPaintProperty('points', 'circle-color', color);
    return;
  }
  map.addSource('points', { type: 'geojson', data: collection(data) });
  map.addLayer({
    id: 'points', type: 'circle', source: 'points',
    paint: {
      'circle-color': color,
      'circle-radius': ['interpolate', ['linear'], ['zoom'], 2, 2.5, 8, 5],
      'circle-stroke-color': '#07111c', 'circle-stroke-width': 0.7, 'circle-opacity': 0.9,
    },
  });
}

function hover(map, root, state) {
  const tip = root.querySelector('.tip');
  map.on('mousemove', (event) => {
    const layers = ['points', 'bands-fill'].filter((id) => map.getLayer(id));
    const found = layers.length ? map.queryRenderedFeatures(event.point, { layers })[0] : null;
    tip.hidden = !found;
    if (!found) return;
    const { name, group, title } = found.properties;
    tip.textContent = [title ?? name, state.data.groups?.[group]?.name].filter(Boolean).join(' · ');
    tip.style.transform = `translate(${event.point.x + 12}px, ${event.point.y + 12}px)`;
  });
  map.on('mouseout', () => { tip.hidden = true; });
}

async function start(root, data) {
  const corners = data.areas ? cornersOf(data.areas) : boundsOf(data.lon, data.lat);
  const map = await createMap(root.querySelector('.map'), {
    interactive: true, bounds: corners, language: data.language,
  });
  return map;
}

function draw(map, root, data) {
  legend(root, data.groups ?? []);
  if (data.areas) {
    if (map.getSource('bands')) updateBands(map, data.areas); else addBands(map, data.areas);
  } else {
    drawPoints(map, data);
  }
  map.once('idle', () => { root.dataset.ready = data.version; });
}

/** Show what Python sent; `parentElement` is the shadow root of the component. */
export function show({ parentElement, data }) {
  const root = parentElement.querySelector('.points');
  let state = maps.get(root);
  if (state === undefined) {
    state = { data, map: start(root, data) };
    maps.set(root, state);
    state.map.then((map) => { hover(map, root, state); draw(map, root, state.data); }).catch((error) => {
      const line = root.querySelector('.failed');
      line.textContent = `${data.failed} ${error?.message ?? error}`;
      line.hidden = false;
    });
  } else if (state.data.version !== data.version) {
    state.data = data;
    state.map.then((map) => draw(map, root, data)).catch(() => {
      // Said already, in `.failed`, when the map was to be made.
    });
  }
  return () => {
    maps.delete(root);
    state.map.then((map) => map.remove()).catch(() => {
      // There is no map to remove.
    });
  };
}
