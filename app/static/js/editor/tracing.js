// An outline or a set of points while it is drawn, vertex by vertex, with the pointer or by keys.

import { within } from "./geometry.js";
import { LEAST, traced } from "./outline.js";

export const TRACED = ["polygon", "points"];

/** Events: "change"; "done" {box, shape} when it is finished. */
export class Tracing extends EventTarget {
  constructor(picture) {
    super();
    this.picture = picture;
    this.points = [];
    this.kind = null;
    this.cursor = null;
  }

  get isOn() {
    return this.points.length > 0;
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** A vertex more; on the first one again the outline is closed. */
  add(kind, point, reach = 0) {
    if (kind !== this.kind) this.points = [];
    this.kind = kind;
    const { x, y } = within(point, this.picture);
    if (kind === "polygon" && this.points.length >= LEAST.polygon && Math.hypot(this.points[0].x - x, this.points[0].y - y) <= reach) return this.finish();
    const last = this.points.at(-1);
    if (last && last.x === x && last.y === y) return false;
    this.points.push({ x, y });
    this.#tell();
    return true;
  }

  aim(point) {
    this.cursor = point;
    if (this.isOn) this.#tell();
  }

  /** Takes the last vertex back; true if there was one. */
  back() {
    if (!this.isOn) return false;
    this.points.pop();
    this.#tell();
    return true;
  }

  /** Hands it over if it has enough vertices. */
  finish() {
    if (!this.isOn || this.points.length < LEAST[this.kind]) return false;
    const { kind, points } = this;
    this.points = [];
    this.#tell();
    this.dispatchEvent(new CustomEvent("done", { detail: traced(kind, points) }));
    return true;
  }

  cancel() {
    if (!this.isOn) return false;
    this.points = [];
    this.#tell();
    return true;
  }
}
