// The annotations as SVG, one keyed node each. A change touches the node of its annotation and no other.
// Their names are names.js's.

import { shape } from "../frame/dom.js";
import { Names } from "./names.js";
import { kindOf, pathOf } from "./shapes.js";

// After so many milliseconds the view rests. Further off than this, the layer would be coarse or empty.
const REST = 120;
const MARK = 12;
const FARTHEST = { zoom: 3, way: 2000 };

const ATTRIBUTES = {
  rect: ({ box: { x, y, w, h } }) => ({ x, y, width: w, height: h }),
  path: (item) => ({ d: pathOf(item) }),
};

export class BoxView {
  /** `svg` fills a layer over the surface; the group inside carries zoom and pan for all nodes at once. */
  constructor(svg, sheet, { canvas, store, labels, layers }) {
    this.group = shape("g", { class: "boxes" });
    Object.assign(this, { layer: svg.parentElement, store, labels, layers });
    this.nodes = new Map();
    Object.assign(this, { hovered: null, lifted: null, hasNames: true });
    this.names = new Names(sheet, { canvas, store, labels, wanted: (id) => this.#isNamed(id), inHand: (id) => this.#isInHand(id) });
    this.marks = shape("g");
    this.group.append(this.marks);
    svg.append(this.group);
    store.addEventListener("item", ({ detail }) => this.#draw(detail.id));
    store.addEventListener("items", () => this.#drawAll());
    store.addEventListener("select", ({ detail }) => this.#select(detail));
    labels.addEventListener("change", () => this.#drawAll());
    layers.addEventListener("change", ({ detail }) => detail.ids.forEach((id) => this.#layer(id)));
  }

  /** While the view moves, what is drawn is moved as one layer; once it rests, all is drawn anew. */
  place(view) {
    clearTimeout(this.due);
    const [by, dx, dy] = this.#since(view);
    const near = by < FARTHEST.zoom && by > 1 / FARTHEST.zoom && Math.hypot(dx, dy) < FARTHEST.way;
    if (!this.drawn || !near) return this.#redraw(view);
    this.layer.style.transform = `translate(${dx}px, ${dy}px) scale(${by})`;
    this.due = setTimeout(() => this.#redraw(view), REST);
    return undefined;
  }

  /** How much larger, and how far off, `view` is from what is drawn. */
  #since({ scale, x, y }) {
    if (!this.drawn) return [1, 0, 0];
    const by = scale / this.drawn.scale;
    return [by, x - this.drawn.x * by, y - this.drawn.y * by];
  }

  #redraw(view) {
    const { scale, x, y } = view;
    this.layer.style.transform = "";
    this.group.setAttribute("transform", `matrix(${scale} 0 0 ${scale} ${x} ${y})`);
    // Marks of comments keep their size on the screen: the unit inside the group is a pixel of the picture.
    if (scale !== this.drawn?.scale) this.marks.setAttribute("font-size", MARK / scale);
    this.drawn = view;
  }

  /** Plain shapes without transforms: each transform would be a layer's worth of work in every frame. */
  #make(id, tag) {
    const node = shape(
      "g",
      { class: "box" },
      shape(tag, { class: "halo" }),
      shape(tag, { class: "line" }),
    );
    const old = this.nodes.get(id);
    this.nodes.set(id, node);
    if (old) old.replaceWith(node);
    else this.group.insertBefore(node, this.#after(id));
    if (id === this.store.selected) node.classList.add("is-selected");
    return node;
  }

  /** The node before which a new one goes: what comes back stands where it stood. */
  #after(id) {
    const { ids } = this.store;
    for (let at = ids.lastIndexOf(id) + 1; at < ids.length; at += 1) {
      const node = this.nodes.get(ids[at]);
      if (node) return node;
    }
    return this.marks;
  }

  #draw(id) {
    this.names.soon();
    const item = this.store.get(id);
    if (!item || kindOf(item) === "image") {
      this.nodes.get(id)?.remove();
      this.nodes.delete(id);
      return;
    }
    const tag = item.shape ? "path" : "rect";
    let node = this.nodes.get(id);
    if (node?.firstChild.tagName !== tag) node = this.#make(id, tag);
    const [halo, line] = node.children;
    for (const [key, value] of Object.entries(ATTRIBUTES[tag](item))) {
      halo.setAttribute(key, value);
      line.setAttribute(key, value);
    }
    line.setAttribute("stroke", this.labels.colour(item.label));
    node.classList.toggle("is-waiting", !item.label);
    node.classList.toggle("is-points", kindOf(item) === "points");
    this.#layer(id);
  }

  #drawAll() {
    for (const id of [...this.nodes.keys()]) if (!this.store.get(id)) this.#draw(id);
    const { ids } = this.store;
    for (const id of ids) this.#draw(id);
    const wanted = ids.map((id) => this.nodes.get(id)).filter(Boolean);
    if (wanted.some((node, at) => this.group.children[at] !== node)) this.group.append(...wanted, this.marks);
  }

  #layer(id) {
    this.names.soon();
    const node = this.nodes.get(id);
    node?.classList.toggle("is-hidden", this.layers.isHidden(id));
    node?.classList.toggle("is-locked", this.layers.isLocked(id));
  }

  #select({ id, before }) {
    this.nodes.get(before)?.classList.remove("is-selected");
    this.nodes.get(id)?.classList.add("is-selected");
    this.names.soon();
  }

  hover(id) {
    if (id === this.hovered) return;
    this.nodes.get(this.hovered)?.classList.remove("is-hovered");
    this.nodes.get(id)?.classList.add("is-hovered");
    this.hovered = id;
    if (!this.hasNames || this.names.isCrowded) this.names.soon();
  }

  /** While an annotation is dragged, the overlay draws it; its own node waits unseen. */
  lift(id, lifted) {
    this.nodes.get(id)?.classList.toggle("is-lifted", lifted);
    this.lifted = lifted ? id : null;
    this.names.soon();
  }

  /** All names, or that of the one in hand alone. */
  showNames(on) {
    this.hasNames = on;
    this.names.soon();
  }

  #isNamed(id) {
    if (id === this.lifted || this.layers.isHidden(id)) return false;
    return this.hasNames || this.#isInHand(id);
  }

  #isInHand(id) {
    return id === this.store.selected || id === this.hovered;
  }
}
