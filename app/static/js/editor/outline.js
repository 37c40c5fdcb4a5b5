// The vertices of outlines and of sets of points: found, moved, put in, taken out. Points as [x, y].

import { distanceToLine, placed } from "./shapes.js";

export const LEAST = { polygon: 3, points: 1 };

const asPoint = ([x, y]) => ({ x, y });
const tenth = (value) => Math.round(value * 10) / 10;

/** The place of the nearest vertex within `reach`; null if there is none. */
export function vertexAt(points, point, reach) {
  let best = null;
  let nearest = reach;
  points.forEach(([x, y], at) => {
    const far = Math.hypot(x - point.x, y - point.y);
    if (far > nearest) return;
    nearest = far;
    best = at;
  });
  return best;
}

/** The place behind which a new vertex would go, at a side within `reach`; null if there is none. */
export function sideAt(points, point, reach) {
  let best = null;
  let nearest = reach;
  points.forEach((pair, at) => {
    const far = distanceToLine(point, asPoint(pair), asPoint(points[(at + 1) % points.length]));
    if (far > nearest) return;
    nearest = far;
    best = at;
  });
  return best;
}

export const withVertex = (shape, at, { x, y }) => ({ ...shape, points: shape.points.with(at, [tenth(x), tenth(y)]) });

export const inserted = (shape, after, { x, y }) => ({ ...shape, points: shape.points.toSpliced(after + 1, 0, [tenth(x), tenth(y)]) });

/** Without one vertex; null where too few would be left. */
export function without(shape, at) {
  if (shape.points.length <= LEAST[shape.type]) return null;
  return { ...shape, points: shape.points.toSpliced(at, 1) };
}

/** The middle between a vertex and the next one. */
export function halfway(points, at) {
  const [a, b] = [points[at], points[(at + 1) % points.length]];
  return { x: (a[0] + b[0]) / 2, y: (a[1] + b[1]) / 2 };
}

/** {box, shape} of what was traced, in tenths of a pixel. */
export const traced = (kind, points) => placed({ type: kind, points: points.map(({ x, y }) => [tenth(x), tenth(y)]) });
