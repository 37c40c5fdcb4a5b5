// Small drawings of annotations: over a piece of the picture, or on the canvas itself.

import { shape as node } from "../frame/dom.js";

const DOT = 4;

/** The corners of {x, y, w, h, angle}, degrees clockwise around its middle. */
function corners({ x, y, w, h, angle }) {
  const [cx, cy, turn] = [x + w / 2, y + h / 2, (angle * Math.PI) / 180];
  const [sin, cos] = [Math.sin(turn), Math.cos(turn)];
  return [[-w, -h], [w, -h], [w, h], [-w, h]].map(([a, b]) => [cx + (a * cos - b * sin) / 2, cy + (a * sin + b * cos) / 2]);
}

const dots = (points, unit, attributes) => node("g", attributes, ...points.map(([cx, cy]) => node("circle", { cx, cy, r: DOT * unit })));

/** The SVG of one annotation; `unit` pixels of the picture are one of the screen. null where it has no place. */
function lineOf({ box, shape }, unit, attributes) {
  if (shape?.type === "image") return null;
  if (shape?.type === "points") return dots(shape.points, unit, attributes);
  const outline = shape?.type === "rotated" ? corners(shape) : shape?.type === "polygon" ? shape.points : null;
  if (outline) return node("polygon", { points: outline.map((point) => point.join(",")).join(" "), ...attributes });
  return node("rect", { x: box.x, y: box.y, width: box.w, height: box.h, ...attributes });
}

/** Line with a dark halo, so that it shows on every picture. `kind` is a class of sketch.css. */
export function sketch(item, colour, kind, unit = 1) {
  const lines = [["halo", {}], ["line", { stroke: colour }]].map(([name, more]) => lineOf(item, unit, { class: name, ...more }));
  return node("g", { class: `sketch ${kind}` }, ...lines);
}

/** A piece `crop` of the picture at `src`, {w, h} pixels in all, with [{item, colour, kind}] drawn on it. */
export function piece(src, picture, crop, drawn, label) {
  const unit = Math.max(crop.w, crop.h) / 240;
  return node(
    "svg",
    { class: "piece", viewBox: `${crop.x} ${crop.y} ${crop.w} ${crop.h}`, role: "img", "aria-label": label },
    node("image", { href: src, width: picture.w, height: picture.h, preserveAspectRatio: "none" }),
    ...drawn.filter(({ item }) => item).map(({ item, colour, kind }) => sketch(item, colour, kind, unit)),
  );
}

const whole = (value) => Math.round(value * 10) / 10;

const KINDS = { rotated: "turned box", polygon: "outline", points: "points", image: "whole picture" };

/** "apple, 120 × 80 at 14, 22; ripe: yes" of an item; "not there" of none. */
export function inWords(item, labels) {
  if (!item) return "not there";
  const { box, shape, attributes } = item;
  const place = shape?.type === "image" ? KINDS.image : `${whole(box.w)} × ${whole(box.h)} at ${whole(box.x)}, ${whole(box.y)}`;
  const kind = shape && shape.type !== "image" ? `${KINDS[shape.type]} ` : "";
  const rest = Object.entries(attributes ?? {}).map(([name, value]) => `; ${name}: ${[value].flat().join(", ")}`);
  return `${labels.name(item.label) ?? "no label"}, ${kind}${place}${rest.join("")}`;
}
