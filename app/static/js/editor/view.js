// The boxes as SVG, one keyed node each. A change touches the node of its box and no other.

import { shape } from "../frame/dom.js";

const NAME = 12;

export class BoxView {
  /** `svg` fills the surface; the group inside carries zoom and pan for all boxes at once. */
  constructor(svg, store, labels) {
    this.group = shape("g", { class: "boxes" });
    this.store = store;
    this.labels = labels;
    this.nodes = new Map();
    this.hovered = null;
    svg.append(this.group);
    store.addEventListener("item", ({ detail }) => this.#draw(detail.id));
    store.addEventListener("items", () => this.#drawAll());
    store.addEventListener("select", ({ detail }) => this.#select(detail));
    labels.addEventListener("change", () => this.#drawAll());
  }

  place({ scale, x, y }) {
    this.group.setAttribute("transform", `matrix(${scale} 0 0 ${scale} ${x} ${y})`);
    // Names keep their size on the screen: the unit inside the group is a pixel of the picture.
    this.group.setAttribute("font-size", NAME / scale);
  }

  /** Plain shapes without transforms: each transform would be a layer's worth of work in every frame. */
  #make(id) {
    const node = shape(
      "g",
      { class: "box" },
      shape("rect", { class: "halo" }),
      shape("rect", { class: "line" }),
      shape("text", { dx: "0.4em", dy: "-0.5em" }),
    );
    this.nodes.set(id, node);
    this.group.append(node);
    return node;
  }

  #draw(id) {
    const item = this.store.get(id);
    if (!item) {
      this.nodes.get(id)?.remove();
      this.nodes.delete(id);
      return;
    }
    const node = this.nodes.get(id) ?? this.#make(id);
    const { x, y, w, h } = item.box;
    const [halo, line, name] = node.children;
    for (const rect of [halo, line]) for (const [side, value] of [["x", x], ["y", y], ["width", w], ["height", h]]) rect.setAttribute(side, value);
    name.setAttribute("x", x);
    name.setAttribute("y", y);
    name.textContent = item.label ?? "no label";
    line.setAttribute("stroke", this.labels.colour(item.label));
    node.classList.toggle("is-waiting", !item.label);
  }

  #drawAll() {
    for (const id of [...this.nodes.keys()]) if (!this.store.get(id)) this.#draw(id);
    for (const id of this.store.items.keys()) this.#draw(id);
  }

  #select({ id, before }) {
    this.nodes.get(before)?.classList.remove("is-selected");
    this.nodes.get(id)?.classList.add("is-selected");
  }

  hover(id) {
    if (id === this.hovered) return;
    this.nodes.get(this.hovered)?.classList.remove("is-hovered");
    this.nodes.get(id)?.classList.add("is-hovered");
    this.hovered = id;
  }

  /** While a box is dragged, the overlay draws it; its own node waits unseen. */
  lift(id, lifted) {
    this.nodes.get(id)?.classList.toggle("is-lifted", lifted);
  }
}
