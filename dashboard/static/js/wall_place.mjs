// Where things stand on the map: pure geometry of bounds, names and bars.

const WORLD = Object.freeze([[-130, -50], [165, 66]]);
const LEAST_DEG = 1.6;

const near = (lon, ref) => lon + 360 * Math.round((ref - lon) / 360);

function ringPoints(geometry) {
  if (!geometry) return [];
  if (geometry.type === 'Polygon') return geometry.coordinates.flat();
  if (geometry.type === 'MultiPolygon') return geometry.coordinates.flat(2);
  if (geometry.type === 'GeometryCollection') return geometry.geometries.flatMap(ringPoints);
  return [];
}

/**
 * Bounds of a situation: its areas, its incidents, its bands (possible ones
 * only where there is nothing else), [[west, south], [east, north]].
 */
export function boundsOf(situation, geojson) {
  const features = geojson?.features ?? [];
  const sure = features.filter((feature) => !feature.properties.possible_only);
  const points = [
    ...situation.areas.filter((area) => area.lon_deg !== null && area.code.includes('-')),
    ...situation.incidents.filter((one) => one.lon_deg !== null),
  ].map((place) => [place.lon_deg, place.lat_deg]);
  points.push(...(sure.length ? sure : features).flatMap((feature) => ringPoints(feature.geometry)));
  if (!points.length) {
    points.push(...situation.areas.filter((area) => area.lon_deg !== null).map((area) => [area.lon_deg, area.lat_deg]));
  }
  if (!points.length) return WORLD;
  const ref = situation.incidents.find((one) => one.lon_deg !== null)?.lon_deg ?? points[0][0];
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of points) {
    const at = near(lon, ref);
    west = Math.min(west, at); east = Math.max(east, at);
    south = Math.min(south, lat); north = Math.max(north, lat);
  }
  const wide = Math.max(0, (LEAST_DEG - (east - west)) / 2);
  const high = Math.max(0, (LEAST_DEG - (north - south)) / 2);
  return [[west - wide, Math.max(-80, south - high)], [east + wide, Math.min(80, north + high)]];
}

export const worldBounds = () => WORLD;

const meets = (one, other) =>
  one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;

/**
 * Where each name stands: below, above, right or left of its ring, or hidden.
 *
 * `items`: {x, y, radius, width, height}, most important first; `taken` are
 * rectangles nothing may cover. A name without room anywhere is left out.
 */
export function placeNames(items, taken = []) {
  const rings = items.map(({ x, y, radius }) => ({ left: x - radius, right: x + radius, top: y - radius, bottom: y + radius }));
  const used = [...taken];
  return items.map((item, at) => {
    const { x, y, radius, width, height } = item;
    const spots = {
      below: { left: x - width / 2, top: y + radius + 2 },
      above: { left: x - width / 2, top: y - radius - 2 - height },
      right: { left: x + radius + 5, top: y - height / 2 },
      left: { left: x - radius - 5 - width, top: y - height / 2 },
    };
    for (const [side, { left, top }] of Object.entries(spots)) {
      const box = { left, top, right: left + width, bottom: top + height };
      const free = rings.every((ring, other) => other === at || !meets(box, ring)) && used.every((other) => !meets(box, other));
      if (free) {
        used.push(box);
        return side;
      }
    }
    return 'hidden';
  });
}

/** A round length for a scale bar at most `most_px` long: {km, px}. */
export function scaleOf(metres_per_px, most_px) {
  const most_km = (metres_per_px * most_px) / 1000;
  const power = 10 ** Math.floor(Math.log10(most_km));
  const km = [5, 2, 1].map((times) => times * power).find((length) => length <= most_km) ?? power;
  return { km, px: (1000 * km) / metres_per_px };
}
