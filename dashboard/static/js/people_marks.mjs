// Marks of the officer's map: one shape a bucket for one person, a ring of
// buckets with the number for several. Told apart by shape, not only by colour.

const RATIO = 2;

/**
 * Draw a mark; returns the arguments that `map.addImage` takes after the id.
 *
 * The id is `mark:<count of each kind>:<plain|chosen>`; a chosen one is outlined.
 */
export function drawMark(id, kinds, colors) {
  const parts = id.split(':');
  const counts = kinds.map((_, index) => Number(parts[index + 1]));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const radius = total === 1 ? 8 : Math.min(30, 11 + 1.5 * Math.sqrt(total));
  const side = Math.ceil((radius + 5) * 2) * RATIO;
  const canvas = document.createElement('canvas');
  canvas.width = side;
  canvas.height = side;
  const pen = canvas.getContext('2d');
  pen.scale(RATIO, RATIO);
  pen.translate(side / RATIO / 2, side / RATIO / 2);
  if (parts.at(-1) === 'chosen') ring(pen, radius + 3, '#ffffff', 2.5);
  if (total === 1) glyph(pen, kinds[counts.indexOf(1)], radius, colors);
  else donut(pen, counts, total, radius, kinds, colors);
  return [pen.getImageData(0, 0, side, side), { pixelRatio: RATIO }];
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

function donut(pen, counts, total, radius, kinds, colors) {
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
    pen.strokeStyle = colors[kinds[index]];
    pen.lineWidth = width;
    pen.stroke();
    from = to;
  });
  ring(pen, radius, '#06121f', 1.2);
  pen.fillStyle = '#ffffff';
  pen.font = `700 ${radius > 18 ? 13 : 11}px Inter, "DejaVu Sans", sans-serif`;
  pen.textAlign = 'center';
  pen.textBaseline = 'middle';
  pen.fillText(String(total), 0, 0.5);
  // Someone who needs help is never lost in a big ring: the triangle is always there.
  if (!counts[kinds.indexOf('needs_help')]) return;
  pen.save();
  pen.translate(radius * 0.72, -radius * 0.72);
  glyph(pen, 'needs_help', 6.5, colors);
  pen.restore();
}
