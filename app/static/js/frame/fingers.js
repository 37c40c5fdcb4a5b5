// Two fingers on a surface: how far apart, and around which point.

const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const apart = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y);

/** Follows touches on `surface`; `onPinch({point, from, factor})` for every move of two of them. */
export class Fingers {
  constructor(surface, onPinch) {
    this.surface = surface;
    this.points = new Map();
    surface.addEventListener("pointerdown", (event) => this.#put(event));
    surface.addEventListener("pointermove", (event) => this.#move(event, onPinch));
    for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) {
      surface.addEventListener(name, (event) => this.points.delete(event.pointerId));
    }
  }

  get count() {
    return this.points.size;
  }

  #at(event) {
    const box = this.surface.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #put(event) {
    if (event.pointerType === "touch") this.points.set(event.pointerId, this.#at(event));
  }

  #move(event, onPinch) {
    if (!this.points.has(event.pointerId)) return;
    const before = [...this.points.values()];
    this.points.set(event.pointerId, this.#at(event));
    if (before.length !== 2) return;
    const now = [...this.points.values()];
    onPinch({ from: middle(before), point: middle(now), factor: apart(now) / (apart(before) || 1) });
  }
}
