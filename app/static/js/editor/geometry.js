// Boxes as {x, y, w, h} in pixels of the picture, origin at the top left. Pure arithmetic.

// Corners and sides a box is held by: which edges each moves. -1: left or top, 1: right or bottom, 0: none.
export const HANDLES = {
  nw: [-1, -1], n: [0, -1], ne: [1, -1],
  w: [-1, 0], e: [1, 0],
  sw: [-1, 1], s: [0, 1], se: [1, 1],
};

/** The least side of a box, in pixels of the picture. */
export const LEAST = 1;

const round = (value) => Math.round(value * 10) / 10;
const tidy = (value) => Math.round(value * 1e9) / 1e9;

export const roundedPoint = ({ x, y }) => ({ x: round(x), y: round(y) });

/** To tenths of a pixel, as boxes are drawn; one that is made as large as the least side stays in the picture. */
export function rounded(box, picture) {
  const [w, h] = [Math.max(LEAST, round(box.w)), Math.max(LEAST, round(box.h))];
  const inside = (start, room) => Math.max(0, Math.min(round(start), tidy(room)));
  return { x: inside(box.x, picture.w - w), y: inside(box.y, picture.h - h), w, h };
}

function settledSide(start, size, oldStart, oldSize) {
  if (size === oldSize) return [start === oldStart ? start : round(start), size];
  const near = start === oldStart ? start : round(start);
  const far = Math.abs(start + size - oldStart - oldSize) < 1e-6 ? oldStart + oldSize : round(start + size);
  return [near, Math.max(LEAST, tidy(far - near))];
}

/** `box` rounded where it differs from `before`: what a data set brought stays exact until it is moved. */
export function settledBox(box, before) {
  const [x, w] = settledSide(box.x, box.w, before.x, before.w);
  const [y, h] = settledSide(box.y, box.h, before.y, before.h);
  return { x, y, w, h };
}

export const sameBox = (a, b) => a.x === b.x && a.y === b.y && a.w === b.w && a.h === b.h;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** What comes as near as `reach` to a side of the picture lies on it. */
const snap = (value, limit, reach) => (Math.abs(value) <= reach ? 0 : Math.abs(limit - value) <= reach ? limit : value);

/** A point of the picture, snapped to its sides; `picture` is {w, h, reach?} in pixels of the picture. */
export function within(point, { w, h, reach = 0 }) {
  return { x: clamp(snap(point.x, w, reach), 0, w), y: clamp(snap(point.y, h, reach), 0, h) };
}

/** The box between two points; `square` makes its sides equal. */
export function spanned(from, to, picture, square = false) {
  const a = within(from, picture);
  let b = within(to, picture);
  if (square) {
    const side = Math.min(Math.max(Math.abs(b.x - a.x), Math.abs(b.y - a.y)), b.x < a.x ? a.x : picture.w - a.x, b.y < a.y ? a.y : picture.h - a.y);
    b = { x: a.x + Math.sign(b.x - a.x || 1) * side, y: a.y + Math.sign(b.y - a.y || 1) * side };
  }
  return { x: Math.min(a.x, b.x), y: Math.min(a.y, b.y), w: Math.abs(a.x - b.x), h: Math.abs(a.y - b.y) };
}

function slid(start, size, delta, limit, reach) {
  const there = clamp(start + delta, Math.min(0, start), Math.max(limit - size, start));
  if (delta === 0) return there;
  if (Math.abs(there) <= reach) return 0;
  return Math.abs(limit - size - there) <= reach ? limit - size : there;
}

/** Moved as a whole; it does not leave the picture (one that reaches beyond may only come back). */
export function moved(box, dx, dy, { w, h, reach = 0 }) {
  return { ...box, x: slid(box.x, box.w, dx, w, reach), y: slid(box.y, box.h, dy, h, reach) };
}

function stretched(start, size, side, delta, { limit, reach }) {
  if (side === 0) return [start, size];
  const end = start + size;
  const free = (side < 0 ? start : end) + delta;
  const to = delta === 0 ? free : snap(free, limit, reach);
  const edge = side < 0 ? clamp(to, Math.min(0, start), limit) : clamp(to, 0, Math.max(limit, end));
  const other = side < 0 ? end : start;
  const low = Math.min(edge, other);
  return [low, Math.max(LEAST, Math.abs(edge - other))];
}

/** One handle dragged by (dx, dy); dragging past the opposite side turns the box over. */
export function resized(box, handle, dx, dy, { w: across, h: down, reach = 0 }) {
  const [sx, sy] = HANDLES[handle];
  const [x, w] = stretched(box.x, box.w, sx, dx, { limit: across, reach });
  const [y, h] = stretched(box.y, box.h, sy, dy, { limit: down, reach });
  return { x, y, w, h };
}

export const contains = (box, point, slack = 0) =>
  point.x >= box.x - slack && point.x <= box.x + box.w + slack && point.y >= box.y - slack && point.y <= box.y + box.h + slack;

/** Under this side, a box on the screen has handles at its corners only. */
export const NARROW = 36;

/** The handle at a point of the screen, `reach` pixels around; null in the middle of a small box. */
export function handleAt(frame, point, reach) {
  let best = null;
  let nearest = Infinity;
  for (const [name, [sx, sy]] of Object.entries(HANDLES)) {
    if ((sx === 0 && frame.w < NARROW) || (sy === 0 && frame.h < NARROW)) continue;
    const dx = Math.abs(point.x - (frame.x + (frame.w * (sx + 1)) / 2));
    const dy = Math.abs(point.y - (frame.y + (frame.h * (sy + 1)) / 2));
    const inner = contains(frame, point) ? Math.min(reach, Math.max(4, Math.min(frame.w, frame.h) / 4)) : reach;
    if (Math.max(dx, dy) > inner || dx + dy >= nearest) continue;
    best = name;
    nearest = dx + dy;
  }
  return best;
}

/** A box from a key press: in the middle of what is seen, a quarter of it wide. */
export function fresh(seen, picture) {
  const w = Math.min(picture.w, seen.w) / 4;
  const h = Math.min(picture.h, seen.h) / 4;
  return moved({ x: seen.x + (seen.w - w) / 2, y: seen.y + (seen.h - h) / 2, w, h }, 0, 0, picture);
}
