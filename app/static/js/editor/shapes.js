// What an annotation marks: {box} alone for a box, {box, shape} for all else, box being the bounds. Pure arithmetic.

import { contains, moved } from "./geometry.js";

const NAMES = { box: "Box", rotated: "Turned box", polygon: "Outline", points: "Points", image: "Whole picture" };
const NOWHERE = { x: 0, y: 0, w: 0, h: 0 };

export const kindOf = (item) => item.shape?.type ?? "box";
export const kindName = (item) => NAMES[kindOf(item)];
export const hasPoints = (item) => ["polygon", "points"].includes(kindOf(item));

/** {x, y} turned around `middle` by degrees, clockwise as seen. */
export function turned({ x, y }, middle, angle) {
  const rad = (angle * Math.PI) / 180;
  const [sin, cos] = [Math.sin(rad), Math.cos(rad)];
  const [dx, dy] = [x - middle.x, y - middle.y];
  return { x: middle.x + dx * cos - dy * sin, y: middle.y + dx * sin + dy * cos };
}

export const middleOf = ({ x, y, w, h }) => ({ x: x + w / 2, y: y + h / 2 });

/** The corners of a turned box, clockwise, from what is the top left at an angle of 0. */
export function cornersOf(shape) {
  const { x, y, w, h, angle = 0 } = shape;
  const middle = middleOf(shape);
  return [[x, y], [x + w, y], [x + w, y + h], [x, y + h]].map(([px, py]) => turned({ x: px, y: py }, middle, angle));
}

/** The upright box around points, as {x, y} each. */
export function around(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of points) {
    left = Math.min(left, x);
    top = Math.min(top, y);
    right = Math.max(right, x);
    bottom = Math.max(bottom, y);
  }
  return { x: left, y: top, w: right - left, h: bottom - top };
}

export const asPoints = (pairs) => pairs.map(([x, y]) => ({ x, y }));

/** The points that make up an item, as {x, y} each. */
export function pointsOf(item) {
  if (hasPoints(item)) return asPoints(item.shape.points);
  return kindOf(item) === "image" ? [] : cornersOf(item.shape ?? item.box);
}

/** {box, shape} of a shape of the wire; a box that is not turned is {box} alone. */
export function placed(shape) {
  if (shape.type === "image") return { box: NOWHERE, shape };
  if (shape.type === "rotated") {
    const { x, y, w, h, angle } = shape;
    return angle === 0 ? { box: { x, y, w, h }, shape: undefined } : { box: around(cornersOf(shape)), shape };
  }
  return { box: around(asPoints(shape.points)), shape };
}

export const wholePicture = () => placed({ type: "image" });

/** The turned box that an item is; a plain box is one of 0 degrees. */
export const asTurned = (item) => (kindOf(item) === "rotated" ? item.shape : { type: "rotated", ...item.box, angle: 0 });

const round = (value) => Math.round(value * 10) / 10;

/** Moved as a whole, its bounds inside the picture: {box, shape}. */
export function movedPlace(item, dx, dy, picture) {
  const box = moved(item.box, dx, dy, picture);
  if (!item.shape) return { box, shape: undefined };
  if (item.shape.type === "image") return { box: item.box, shape: item.shape };
  return shifted(item, round(box.x - item.box.x), round(box.y - item.box.y));
}

/** Moved wherever it is told. */
function shifted({ box, shape }, dx, dy) {
  if (!dx && !dy) return shape ? { box, shape } : { box, shape: undefined };
  if (!shape) return { box: { ...box, x: box.x + dx, y: box.y + dy }, shape: undefined };
  if (shape.type === "rotated") return placed({ ...shape, x: shape.x + dx, y: shape.y + dy });
  return placed({ ...shape, points: shape.points.map(([x, y]) => [x + dx, y + dy]) });
}

const smaller = (value, from, by) => from + (value - from) * by;

/** An outline, points or a turned box made smaller in proportion, from the top left of its bounds on. */
function shrunk({ box: { x, y }, shape }, by) {
  if (shape.type !== "rotated") return placed({ ...shape, points: shape.points.map(([px, py]) => [smaller(px, x, by), smaller(py, y, by)]) });
  return placed({ ...shape, x: smaller(shape.x, x, by), y: smaller(shape.y, y, by), w: shape.w * by, h: shape.h * by });
}

/**
 * {box, shape} of an item of another picture, inside this one: moved in, and where it is larger than the
 * picture made as large; a box is cut, all else keeps its form. What is inside already stays exact.
 */
export function broughtIn({ box, shape }, { w, h }) {
  if (shape?.type === "image") return { box, shape };
  const by = Math.min(1, w / box.w, h / box.h);
  const fitting = shape ? (by < 1 ? shrunk({ box, shape }, by) : { box, shape }) : { box: { ...box, w: Math.min(w, box.w), h: Math.min(h, box.h) } };
  const off = (start, size, room) => Math.max(0, Math.min(start, room - size)) - start;
  const { box: now } = fitting;
  return shifted(fitting, off(now.x, now.w, w), off(now.y, now.h, h));
}

function shoelace(points) {
  let twice = 0;
  points.forEach(({ x, y }, at) => {
    const next = points[(at + 1) % points.length];
    twice += x * next.y - next.x * y;
  });
  return Math.abs(twice) / 2;
}

/** In square pixels; points have none. */
export function areaOf(item) {
  const kind = kindOf(item);
  if (kind === "polygon") return shoelace(asPoints(item.shape.points));
  if (kind === "points" || kind === "image") return 0;
  const { w, h } = item.shape ?? item.box;
  return w * h;
}

export function distanceToLine(point, a, b) {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const along = ((point.x - a.x) * dx + (point.y - a.y) * dy) / (dx * dx + dy * dy || 1);
  const t = Math.max(0, Math.min(1, along));
  return Math.hypot(point.x - a.x - t * dx, point.y - a.y - t * dy);
}

function inOutline(points, point, slack) {
  let inside = false;
  for (let at = 0, before = points.length - 1; at < points.length; before = at, at += 1) {
    const [a, b] = [points[at], points[before]];
    if (distanceToLine(point, a, b) <= slack) return true;
    if (a.y > point.y !== b.y > point.y && point.x < ((b.x - a.x) * (point.y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}

/** Whether a point of the picture hits an item, `slack` pixels beside it too. */
export function hits(item, point, slack) {
  const kind = kindOf(item);
  if (kind === "image") return false;
  const near = kind === "points" ? slack * 3 : slack;
  if (!contains(item.box, point, near)) return false;
  if (kind === "box") return true;
  if (kind === "rotated") return contains(item.shape, turned(point, middleOf(item.shape), -item.shape.angle), slack);
  const points = asPoints(item.shape.points);
  return kind === "polygon" ? inOutline(points, point, slack) : points.some(({ x, y }) => Math.hypot(x - point.x, y - point.y) <= near);
}

/** What an SVG path draws for an item that is no box. */
export function pathOf(item) {
  const points = pointsOf(item);
  if (kindOf(item) === "points") return points.map(({ x, y }) => `M${x} ${y}h0`).join("");
  return points.length ? `M${points.map(({ x, y }) => `${x} ${y}`).join("L")}Z` : "";
}
