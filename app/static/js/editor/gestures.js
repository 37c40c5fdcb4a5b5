// What a press takes hold of on the selected annotation, and what a drag makes of it.

import { handleAt, HANDLES, resized, settledBox, spanned, within } from "./geometry.js";
import { halfway, inserted, vertexAt, withVertex } from "./outline.js";
import { asTurned, hasPoints, kindOf, middleOf, movedPlace, placed, pointsOf, turned } from "./shapes.js";
import { cursorOf, resizedTurned, turnedTowards, turningSpot, turnsBelow } from "./turning.js";

const near = (a, b, reach) => Math.hypot(a.x - b.x, a.y - b.y) <= reach;

function pointGrip(item, canvas, point, reach) {
  const shown = pointsOf(item).map((one) => canvas.pointToFrame(one)).map(({ x, y }) => [x, y]);
  const vertex = vertexAt(shown, point, reach);
  if (vertex !== null) return { kind: "vertex", vertex, cursor: "move" };
  if (kindOf(item) !== "polygon") return null;
  const side = shown.findIndex((_, at) => near(halfway(shown, at), point, reach * 0.75));
  return side < 0 ? null : { kind: "insert", vertex: side + 1, cursor: "copy" };
}

function boxGrip(item, canvas, point, reach) {
  const shape = asTurned(item);
  const frame = canvas.toFrame(shape);
  const here = turned(point, middleOf(frame), -shape.angle);
  const below = turnsBelow(frame, shape.angle);
  if (near(turningSpot(frame, below), here, reach)) return { kind: "turn", below, cursor: "turn" };
  const handle = handleAt(frame, here, reach);
  return handle && { kind: "resize", handle, cursor: cursorOf(HANDLES[handle], shape.angle) };
}

/** {kind, …, cursor} of the handle, vertex or side at a point of the screen; null for none. */
export const gripAt = (item, canvas, point, reach) => (hasPoints(item) ? pointGrip : boxGrip)(item, canvas, point, reach);

const MAKE = {
  draw: ({ spot, square }, here, picture) => ({ box: spanned(spot, here, picture, square), shape: undefined }),
  move: ({ item, spot }, here, picture) => movedPlace(item, here.x - spot.x, here.y - spot.y, picture),
  resize({ item, handle, spot }, here, picture) {
    const [dx, dy] = [here.x - spot.x, here.y - spot.y];
    if (item.shape) return placed(resizedTurned(item.shape, handle, dx, dy));
    return { box: resized(item.box, handle, dx, dy, picture), shape: undefined };
  },
  turn: ({ item, square, below }, here) => turnedTowards(item, here, square, below),
  vertex: ({ item, vertex }, here, picture) => placed(withVertex(item.shape, vertex, within(here, picture))),
  insert: ({ item, vertex }, here, picture) => placed(inserted(item.shape, vertex - 1, within(here, picture))),
};

/** {box, shape} that a gesture has made when the pointer is at `here`, a point of the picture. */
export const placeOf = (gesture, here, picture) => MAKE[gesture.kind](gesture, here, picture);

/** The same in the numbers that are kept: what was not moved keeps every digit. */
export const settled = (place, before) => (place.shape ? place : { box: settledBox(place.box, before.box), shape: undefined });
