// Boxes that are turned: their handles work along their own sides. Angles in degrees, clockwise as seen.

import { LEAST, resized } from "./geometry.js";
import { asTurned, middleOf, placed, turned } from "./shapes.js";

const STEP = 15;
const ANYWHERE = { w: Infinity, h: Infinity };
const OUT = 26;

/** The same angle in [-180, 180). */
export function normal(angle) {
  const within = (((angle + 180) % 360) + 360) % 360 - 180;
  return within === -0 ? 0 : within;
}

const tenth = (value) => Math.round(value * 10) / 10;

/** A turned box around `middle`; its numbers to thousandths, as no hand is finer. */
function about(middle, w, h, angle) {
  const fine = (value) => Math.round(value * 1000) / 1000;
  return { type: "rotated", x: fine(middle.x - w / 2), y: fine(middle.y - h / 2), w: fine(w), h: fine(h), angle };
}

/** One handle of a turned box dragged by (dx, dy): the opposite corner or side stays where it is. */
export function resizedTurned(shape, handle, dx, dy) {
  const delta = turned({ x: dx, y: dy }, { x: 0, y: 0 }, -shape.angle);
  const far = { ...shape, x: shape.x + 1e6, y: shape.y + 1e6 };
  const { x, y, w, h } = resized({ x: far.x, y: far.y, w: far.w, h: far.h }, handle, delta.x, delta.y, ANYWHERE);
  const middle = turned(middleOf({ x: x - 1e6, y: y - 1e6, w, h }), middleOf(shape), shape.angle);
  return about(middle, Math.max(LEAST, w), Math.max(LEAST, h), shape.angle);
}

/** The item turned so that its turning handle points at `point`; `stepped`: by whole 15 degrees. */
export function turnedTowards(item, point, stepped, below = false) {
  const shape = asTurned(item);
  const middle = middleOf(shape);
  const raw = (Math.atan2(point.y - middle.y, point.x - middle.x) * 180) / Math.PI + (below ? -90 : 90);
  const angle = normal(stepped ? Math.round(raw / STEP) * STEP : tenth(raw));
  return placed({ ...shape, angle });
}

export function turnedBy(item, degrees) {
  const shape = asTurned(item);
  return placed({ ...shape, angle: normal(tenth(shape.angle + degrees)) });
}

/** Grown at its right and lower side, along its own sides. */
export function grownTurned(shape, dx, dy) {
  const by = turned({ x: dx, y: dy }, { x: 0, y: 0 }, shape.angle);
  return placed(resizedTurned(shape, "se", by.x, by.y));
}

/** Where the turning handle stands on the screen, in the frame's own directions. */
export const turningSpot = (frame, below) => ({ x: frame.x + frame.w / 2, y: below ? frame.y + frame.h + OUT : frame.y - OUT });

/** An upright box at the top of the surface has its turning handle below. */
export const turnsBelow = (frame, angle) => angle === 0 && frame.y < OUT + 8;

const CURSORS = ["ew", "nwse", "ns", "nesw"];

/** The cursor over a handle with these sides, of a box that is turned. */
export function cursorOf([sx, sy], angle) {
  const direction = (Math.atan2(sy, sx) * 180) / Math.PI + angle;
  return CURSORS[((Math.round(direction / 45) % 4) + 4) % 4];
}
