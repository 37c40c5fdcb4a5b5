// What the pointer does: draw, move, stretch, pan. Pointer events, so mouse, pen and finger are one.

import { Fingers } from "../frame/fingers.js";
import { wheelFactor } from "../frame/viewport.js";
import { boxAt, handleAt, moved, resized, rounded, spanned } from "./geometry.js";

const CLICK = 4;
const REACH = { mouse: 12, pen: 14, touch: 24 };

/** Events: "mode"; "cursor" {point, box} for the status line; "drawn" {item} after a new box. */
export class Tools extends EventTarget {
  constructor({ canvas, store, labels, view, overlay, canWrite }) {
    super();
    Object.assign(this, { canvas, store, labels, view, overlay, canWrite });
    this.mode = canWrite ? "draw" : "select";
    this.gesture = null;
    this.spaceHeld = false;
    this.waiting = null;
    this.#listen();
    store.addEventListener("select", () => this.refresh());
    store.addEventListener("item", () => this.refresh());
    store.addEventListener("items", () => this.refresh());
    labels.addEventListener("change", () => this.refresh());
    canvas.addEventListener("change", () => this.refresh());
  }

  setMode(mode) {
    this.mode = this.canWrite ? mode : "select";
    if (this.mode !== "draw") this.overlay.guide(null);
    this.#cursor("default");
    this.dispatchEvent(new Event("mode"));
  }

  /** The frame follows the selected box, unless a drag is leading it. */
  refresh() {
    if (this.gesture && this.gesture.kind !== "pan") return;
    const item = this.store.chosen;
    this.overlay.colour(this.labels.colour(item ? item.label : this.labels.current));
    if (item) this.overlay.show(this.canvas.toFrame(item.box));
    else this.overlay.hide();
    this.overlay.bare(!this.canWrite);
  }

  #listen() {
    const surface = this.canvas.root;
    this.#spareWhatFloats(surface);
    this.fingers = new Fingers(surface, (pinch) => this.#pinch(pinch));
    surface.addEventListener("pointerdown", (event) => this.#down(event));
    surface.addEventListener("pointermove", (event) => this.#move(event));
    surface.addEventListener("pointerup", (event) => this.#up(event));
    surface.addEventListener("pointercancel", () => this.cancel());
    surface.addEventListener("pointerleave", () => {
      this.overlay.guide(null);
      this.view.hover(null);
      this.#tell(null);
    });
    surface.addEventListener("wheel", (event) => {
      event.preventDefault();
      if (event.shiftKey) this.canvas.pan(-(event.deltaX || event.deltaY), 0);
      else this.canvas.zoomTo(this.canvas.view.scale * wheelFactor(event), this.canvas.at(event));
    }, { passive: false });
  }

  /** The field for a label and a notice lie on the surface, but a press on them is theirs alone. */
  #spareWhatFloats(surface) {
    for (const floating of surface.querySelectorAll("form, [role=alert]")) {
      for (const name of ["pointerdown", "dblclick"]) floating.addEventListener(name, (event) => event.stopPropagation());
    }
  }

  #pinch({ from, point, factor }) {
    if (this.gesture?.kind !== "pan") this.cancel();
    const { canvas } = this;
    canvas.zoomTo(canvas.view.scale * factor, from);
    canvas.pan(point.x - from.x, point.y - from.y);
  }

  /** What a press at `point` would take hold of. */
  #under(point, type) {
    const reach = REACH[type] ?? REACH.mouse;
    const { chosen } = this.store;
    const handle = chosen && this.canWrite ? handleAt(this.canvas.toFrame(chosen.box), point, reach) : null;
    if (handle) return { kind: "resize", handle, item: chosen };
    const spot = this.canvas.toPicture(point);
    const item = boxAt(this.store.list, spot, 3 / this.canvas.view.scale);
    return { kind: "move", item };
  }

  #down(event) {
    if (this.fingers.count > 1 || this.gesture) return;
    this.canvas.root.focus({ preventScroll: true });
    this.canvas.root.setPointerCapture(event.pointerId);
    this.canvas.measure();
    const point = this.canvas.at(event);
    if (event.button === 1 || this.spaceHeld) this.#begin("pan", point, event);
    else if (event.button === 0) this.#take(point, event);
  }

  #take(point, event) {
    const under = this.#under(point, event.pointerType);
    if (under.kind === "resize") this.#begin("resize", point, event, under);
    else if (this.mode === "draw") this.#begin("draw", point, event);
    else if (under.item) {
      this.store.select(under.item.id);
      this.#begin(this.canWrite ? "move" : "pan", point, event, under);
    } else {
      this.store.select(null);
      this.#begin("pan", point, event);
    }
  }

  #begin(kind, point, event, more = {}) {
    this.gesture = { kind, start: point, last: point, spot: this.canvas.toPicture(point), square: event.shiftKey, moved: false, ...more };
  }

  /** The first real movement: a press that trembles is still a click. */
  #lift(gesture) {
    gesture.moved = true;
    if (gesture.item) this.view.lift(gesture.item.id, true);
    if (gesture.kind === "draw") {
      this.store.select(null);
      this.overlay.colour(this.labels.colour(this.labels.current));
    }
    if (gesture.kind !== "pan") this.overlay.bare(true);
  }

  #move(event) {
    if (event.pointerType === "touch" && !this.gesture) return;
    const point = this.canvas.at(event);
    if (!this.gesture) return void this.#hover(point, event);
    const { gesture } = this;
    gesture.square = event.shiftKey;
    if (!gesture.moved && Math.hypot(point.x - gesture.start.x, point.y - gesture.start.y) < CLICK) return;
    if (!gesture.moved) this.#lift(gesture);
    if (gesture.kind === "pan") this.canvas.pan(point.x - gesture.last.x, point.y - gesture.last.y);
    gesture.last = point;
    this.#soon(() => this.#follow(gesture, point));
  }

  /** Pointers report more often than the screen draws: the last report of a frame counts. */
  #soon(work) {
    if (this.waiting === null) requestAnimationFrame(() => {
      const run = this.waiting;
      this.waiting = null;
      run?.();
    });
    this.waiting = work;
  }

  #boxOf({ kind, item, handle, spot, last, square }) {
    const here = this.canvas.toPicture(last);
    const { picture } = this.canvas;
    if (kind === "draw") return spanned(spot, here, picture, square);
    const [dx, dy] = [here.x - spot.x, here.y - spot.y];
    return kind === "move" ? moved(item.box, dx, dy, picture) : resized(item.box, handle, dx, dy, picture);
  }

  #follow(gesture, point) {
    if (this.gesture !== gesture || gesture.kind === "pan") return this.#tell(point);
    const box = this.#boxOf(gesture);
    this.overlay.show(this.canvas.toFrame(box));
    if (gesture.kind === "draw") this.overlay.guide(point, this.canvas.frame);
    return this.#tell(point, box);
  }

  #hover(point, event) {
    this.#soon(() => {
      const under = this.#under(point, event.pointerType);
      const drawing = this.mode === "draw" && under.kind !== "resize" && !this.spaceHeld;
      this.overlay.guide(drawing ? point : null, this.canvas.frame);
      this.view.hover(drawing ? null : under.item?.id ?? null);
      if (this.spaceHeld) this.#cursor("pan");
      else if (under.kind === "resize") this.#cursor(under.handle);
      else this.#cursor(drawing ? "draw" : under.item ? "move" : "default");
      this.#tell(point);
    });
  }

  #cursor(name) {
    if (this.canvas.root.dataset.cursor !== name) this.canvas.root.dataset.cursor = name;
  }

  #tell(point, box = null) {
    this.dispatchEvent(new CustomEvent("cursor", { detail: { point: point && this.canvas.toPicture(point), box } }));
  }

  #up(event) {
    const { gesture } = this;
    if (!gesture) return;
    gesture.last = this.canvas.at(event);
    this.#end(gesture);
    if (!gesture.moved) this.#clicked(gesture, event);
    else if (gesture.kind === "draw") this.#drawn(rounded(this.#boxOf(gesture)));
    else if (gesture.item) this.store.change(gesture.item.id, { box: rounded(this.#boxOf(gesture)) }, "drag");
    this.refresh();
  }

  /** In drawing mode a click without a drag selects, so that one need not change the tool. */
  #clicked({ kind, start }, event) {
    if (kind !== "draw") return;
    const { item } = this.#under(start, event.pointerType);
    this.store.select(item?.id ?? null);
  }

  #drawn(box) {
    const item = this.store.add(box, this.labels.current);
    this.dispatchEvent(new CustomEvent("drawn", { detail: item }));
  }

  #end(gesture) {
    this.gesture = null;
    this.waiting = null;
    if (gesture.item) this.view.lift(gesture.item.id, false);
    this.overlay.guide(null);
    this.#tell(gesture.last);
  }

  /** Back to before the drag; true if there was one. */
  cancel() {
    if (!this.gesture) return false;
    this.#end(this.gesture);
    this.refresh();
    return true;
  }
}
