// Geometry of the officer's map: pure functions over what the page sends.

const EARTH_M = 6371008.8;

// People whose place is known to the same point share one mark with a number.
export function places(people, kinds) {
  const chosen = new Set(people.chosen);
  const found = new Map();
  people.ids.forEach((id, row) => {
    const key = `${people.lon[row]},${people.lat[row]}`;
    let place = found.get(key);
    if (!place) {
      place = { index: found.size, lon: people.lon[row], lat: people.lat[row], ids: [], chosen: 0, counts: Object.fromEntries(kinds.map((kind) => [kind, 0])) };
      found.set(key, place);
    }
    place.ids.push(id);
    place.counts[kinds[people.kind[row]]] += 1;
    place.chosen += chosen.has(id) ? 1 : 0;
  });
  return [...found.values()];
}

/**
 * Return the corners around all features, null where there are none.
 *
 * What lies on both sides of 180 degrees is taken as one piece: the narrower way round.
 */
export function bounds(said) {
  const lons = [];
  const lats = [];
  const walk = (part) => {
    if (typeof part[0] === 'number') {
      lons.push(part[0]);
      lats.push(part[1]);
    } else part.forEach(walk);
  };
  said.features.forEach((one) => walk(one.geometry.coordinates));
  if (!lons.length) return null;
  const ends = (values) => values.reduce(
    ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
    [Infinity, -Infinity],
  );
  const straight = ends(lons);
  const turned = ends(lons.map((lon) => (lon < 0 ? lon + 360 : lon)));
  const [west, east] = turned[1] - turned[0] < straight[1] - straight[0] ? turned : straight;
  const [south, north] = ends(lats);
  return [[west, south], [east, north]];
}

/**
 * Return what the map shows at first: the bands, and everybody where most are outside them.
 *
 * Few people far away must not make a footprint a dot.
 */
export function view(bands, found) {
  const people = bounds(collection(found.map((place) => feature('Point', [place.lon, place.lat], {}))));
  if (!bands || !people) return bands ?? people;
  const [[west, south], [east, north]] = bands;
  const count = (places_) => places_.reduce((sum, place) => sum + place.ids.length, 0);
  const within = found.filter((place) => inside(place.lon, west, east) && place.lat >= south && place.lat <= north);
  if (2 * count(within) >= count(found)) return bands;
  return bounds(collection([...bands, ...people].map((point) => feature('Point', point, {}))));
}

/** Return the ring of points at a radius around a point. */
export function circle({ lon_deg: lon, lat_deg: lat, radius_m: radius }) {
  const rad = Math.PI / 180;
  const far = radius / EARTH_M;
  return Array.from({ length: 65 }, (_, step) => {
    const bearing = (2 * Math.PI * step) / 64;
    const north = Math.asin(Math.sin(lat * rad) * Math.cos(far) + Math.cos(lat * rad) * Math.sin(far) * Math.cos(bearing));
    const east = lon * rad + Math.atan2(Math.sin(bearing) * Math.sin(far) * Math.cos(lat * rad), Math.cos(far) - Math.sin(lat * rad) * Math.sin(north));
    return [east / rad, north / rad];
  });
}

export const feature = (type, coordinates, properties) => ({ type: 'Feature', properties, geometry: { type, coordinates } });
export const collection = (features) => ({ type: 'FeatureCollection', features });

// A box over the 180th meridian runs past 180, a place does not.
export const inside = (lon, west, east) => [lon - 360, lon, lon + 360].some((turn) => turn >= west && turn <= east);
export const round = (value) => Math.round(value * 1e5) / 1e5;
