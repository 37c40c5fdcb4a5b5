// What the pointer does: draw, move, stretch, turn, pan. Pointer events, so mouse, pen and finger are one.

import { Fingers } from "../frame/fingers.js";
import { Latest } from "../frame/latest.js";
import { wheelFactor } from "../frame/viewport.js";
import { rounded } from "./geometry.js";
import { gripAt, placeOf, settled } from "./gestures.js";
import { itemAt, nextAt } from "./picking.js";
import { hits, kindOf } from "./shapes.js";
import { TRACED, Tracing } from "./tracing.js";

const CLICK = 4;
const REACH = { mouse: 12, pen: 14, touch: 24 };
const SLACK = 3;
const SNAP = 7;
const WAYS = new Set(["pan", "trace"]);

/** Events: "mode"; "cursor" {point, box} for the status line; "drawn" {item} after a new annotation. */
export class Tools extends EventTarget {
  constructor({ canvas, store, labels, layers, view, overlay, canWrite }) {
    super();
    Object.assign(this, { canvas, store, labels, layers, view, overlay, canWrite });
    this.mode = canWrite ? "box" : "select";
    this.drawing = "box";
    this.gesture = null;
    this.spaceHeld = false;
    this.reports = new Latest();
    this.vertex = null;
    this.cursor = null;
    this.tracing = new Tracing(canvas.picture);
    this.#listen();
    this.#follow();
  }

  #follow() {
    const refresh = () => this.refresh();
    this.store.addEventListener("select", () => {
      this.vertex = null;
      refresh();
    });
    for (const name of ["item", "items"]) this.store.addEventListener(name, refresh);
    for (const one of [this.labels, this.layers, this.canvas, this.tracing]) one.addEventListener("change", refresh);
    this.tracing.addEventListener("done", ({ detail: { box, shape } }) => this.#drawn(box, shape));
  }

  setMode(mode) {
    this.mode = this.canWrite ? mode : "select";
    this.tracing.cancel();
    if (this.mode === "select") this.overlay.guide(null);
    else this.drawing = mode;
    this.#cursor("default");
    this.dispatchEvent(new Event("mode"));
  }

  get traces() {
    return TRACED.includes(this.mode);
  }

  /** What keys and pointer may change: the selected one, unless it is locked. */
  get editable() {
    const { chosen } = this.store;
    return chosen && this.canWrite && !this.layers.isLocked(chosen.id) ? chosen : null;
  }

  /** Whether the pointer holds something of the picture, and not the picture. */
  get isLeading() {
    return this.gesture !== null && !WAYS.has(this.gesture.kind);
  }

  /** The frame follows the selected one, or the drag that is leading it. */
  refresh() {
    const { gesture, store: { chosen: item } } = this;
    if (this.isLeading && !gesture.moved) return;
    this.overlay.colour(this.labels.colour(item ? item.label : this.labels.current));
    if (this.isLeading) return void this.#show(gesture, gesture.last);
    if (this.tracing.isOn) this.overlay.outline.trace(this.tracing, this.canvas);
    else if (item && !this.layers.isHidden(item.id)) this.overlay.show(item, this.vertex);
    else this.overlay.hide();
    this.overlay.bare(!this.editable && !this.tracing.isOn);
  }

  #listen() {
    const surface = this.canvas.root;
    this.fingers = new Fingers(surface, (pinch) => this.#pinch(pinch));
    surface.addEventListener("pointerdown", (event) => this.#down(event));
    surface.addEventListener("pointermove", (event) => this.#move(event));
    surface.addEventListener("pointerup", (event) => this.#up(event));
    surface.addEventListener("pointercancel", () => this.drop());
    // The middle button would begin to scroll by itself.
    surface.addEventListener("mousedown", (event) => event.button === 1 && event.preventDefault());
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

  #pinch({ from, point, factor }) {
    if (this.gesture?.kind !== "pan") this.drop();
    const { canvas } = this;
    canvas.zoomTo(canvas.view.scale * factor, from);
    canvas.pan(point.x - from.x, point.y - from.y);
  }

  get #slack() {
    return SLACK / this.canvas.view.scale;
  }

  /** What a press at `point` of the screen would take hold of. */
  #under(point, type) {
    const { editable } = this;
    const grip = editable && !this.tracing.isOn ? gripAt(editable, this.canvas, point, REACH[type] ?? REACH.mouse) : null;
    if (grip) return { ...grip, item: editable };
    const item = itemAt(this.layers.reachable, this.canvas.toPicture(point), this.#slack);
    return { kind: "move", item, cursor: item ? "move" : "default" };
  }

  #down(event) {
    if (this.fingers.count > 1 && !this.gesture?.moved) this.drop(); // two fingers do not tap
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
    if (under.kind !== "move") this.#begin(under.kind, point, event, under);
    else if (this.traces) this.#begin("trace", point, event);
    else if (this.mode === "box") this.#begin("draw", point, event);
    else if (under.item) this.#takeItem(point, event, under.item);
    else {
      this.store.select(null);
      this.#begin("pan", point, event);
    }
  }

  /** A press on what is selected keeps it; the click, if it is one, goes on to what lies there too. */
  #takeItem(point, event, smallest) {
    const { chosen } = this.store;
    const again = chosen && this.layers.reachable.includes(chosen) && hits(chosen, this.canvas.toPicture(point), this.#slack);
    if (!again) this.store.select(smallest.id);
    this.#begin(this.editable ? "move" : "pan", point, event, { item: this.store.chosen, again });
  }

  #begin(kind, point, event, more = {}) {
    this.gesture = { ...more, kind, start: point, last: point, spot: this.canvas.toPicture(point), square: event.shiftKey, free: event.altKey, moved: false };
  }

  /** The first real movement: a press that trembles is still a click. */
  #lift(gesture) {
    gesture.moved = true;
    if (WAYS.has(gesture.kind)) return;
    if (gesture.item) this.view.lift(gesture.item.id, true);
    if (gesture.kind === "draw") {
      this.store.select(null);
      this.overlay.colour(this.labels.colour(this.labels.current));
    }
    this.overlay.bare(true);
  }

  #move(event) {
    if (event.pointerType === "touch" && !this.gesture) return;
    const point = this.canvas.at(event);
    if (!this.gesture) return void this.#hover(point, event);
    // The press ended unheard: under a menu of the system, or in another window.
    if (!event.buttons) return void this.#up(event);
    const { gesture } = this;
    gesture.square = event.shiftKey;
    gesture.free = event.altKey;
    if (!gesture.moved && Math.hypot(point.x - gesture.start.x, point.y - gesture.start.y) < CLICK) return;
    if (!gesture.moved) this.#lift(gesture);
    if (WAYS.has(gesture.kind) && this.fingers.count < 2) this.canvas.pan(point.x - gesture.last.x, point.y - gesture.last.y);
    gesture.last = point;
    this.reports.soon(() => this.#show(gesture, point));
  }

  #placeOf(gesture) {
    const { picture, view } = this.canvas;
    const reach = gesture.free ? 0 : SNAP / view.scale;
    return placeOf(gesture, this.canvas.toPicture(gesture.last), { ...picture, reach });
  }

  #show(gesture, point) {
    if (this.gesture !== gesture || !this.isLeading) return this.#tell(point);
    const place = this.#placeOf(gesture);
    this.overlay.show(place, gesture.vertex);
    if (gesture.kind === "draw") this.overlay.guide(point, this.canvas.frame);
    return this.#tell(point, place.box);
  }

  #hover(point, event) {
    this.reports.soon(() => {
      const under = this.#under(point, event.pointerType);
      const drawing = this.mode !== "select" && under.kind === "move" && !this.spaceHeld;
      this.aim(this.canvas.toPicture(point), drawing);
      this.view.hover(drawing ? null : under.item?.id ?? null);
      if (this.spaceHeld) this.#cursor("pan");
      else this.#cursor(drawing ? "draw" : under.cursor);
      this.#tell(point);
    });
  }

  /** Puts the crosshair at a point of the picture: the pointer's, or one that keys move. */
  aim(point, drawing = this.mode !== "select") {
    this.cursor = point;
    this.overlay.guide(drawing ? this.canvas.pointToFrame(point) : null, this.canvas.frame);
    this.tracing.aim(point);
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
    else if (gesture.kind === "draw") this.#drawn(rounded(this.#placeOf(gesture).box, this.canvas.picture));
    else if (!WAYS.has(gesture.kind)) this.store.change(gesture.item.id, settled(this.#placeOf(gesture), gesture.item), "drag");
    this.refresh();
  }

  #clicked(gesture, event) {
    const { kind, start, spot, item } = gesture;
    if (kind === "trace") return this.#point(spot);
    if (kind === "insert") return this.store.change(item.id, this.#placeOf(gesture), "vertex");
    if (kind === "vertex") return this.#pickVertex(gesture, event);
    if (kind === "draw" || gesture.again) return this.#pickNext(start);
    return null;
  }

  /** A click: in drawing mode too it selects, so that one need not change the tool. */
  #pickNext(start) {
    const spot = this.canvas.toPicture(start);
    const item = nextAt(this.layers.reachable, spot, this.#slack, this.store.selected);
    this.store.select(item?.id ?? null);
  }

  #pickVertex({ vertex, item }, event) {
    this.vertex = vertex;
    if (event.altKey) this.dispatchEvent(new CustomEvent("without", { detail: { item, vertex } }));
  }

  /** A click while an outline is drawn; on the last vertex again it is finished. */
  #point(spot) {
    const reach = REACH.mouse / this.canvas.view.scale;
    const last = this.tracing.points.at(-1);
    if (last && this.tracing.kind === this.mode && Math.hypot(last.x - spot.x, last.y - spot.y) < reach / 2 && this.tracing.finish()) return;
    this.store.select(null);
    // A finger never hovered, and a quick click came before the last movement was drawn.
    this.cursor = this.tracing.cursor = spot;
    this.tracing.add(this.mode, spot, reach);
  }

  #drawn(box, shape) {
    const item = this.store.add(box, this.labels.current, this.labels.defaults(this.labels.current), shape);
    this.dispatchEvent(new CustomEvent("drawn", { detail: { item, kind: kindOf(item) } }));
  }

  #end(gesture) {
    this.gesture = null;
    this.reports.forget();
    if (gesture.item) this.view.lift(gesture.item.id, false);
    this.overlay.guide(null);
    this.#tell(gesture.last);
  }

  /** Back to before the press; true if there was one. */
  drop() {
    if (!this.gesture) return false;
    this.#end(this.gesture);
    this.refresh();
    return true;
  }

  /** The drag, or else the outline that is under way. */
  cancel = () => this.drop() || this.tracing.cancel();
}
