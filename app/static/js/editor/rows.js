// A list of which, once it is long, only the rows near the eye are in the page. Each says which one of how many it is.

import { element } from "../frame/dom.js";

/** Up to so many are all there: nothing is gained by less. */
const FEW = 60;
/** Rows beyond what is seen, at each end: Tab moves the focus into them, and with it the window. */
const BEYOND = 12;
const HEIGHT = 32;

export class Rows {
  /** `make(id)` gives the li of a row, `drop(id)` hears that it left; `frame` is what the list lies and scrolls in. */
  constructor(list, frame, { make, drop }) {
    Object.assign(this, { list, frame, make, drop, ids: [], places: new Map(), shown: new Map(), kept: null, due: null });
    [this.above, this.below] = [1, 2].map(() => element("li", { class: "room", role: "presentation", "aria-hidden": "true" }));
    frame.addEventListener("scroll", () => this.soon(), { capture: true, passive: true });
    new ResizeObserver(() => this.soon()).observe(list);
  }

  get #isLong() {
    return this.ids.length > FEW;
  }

  /** These rows, in this order. */
  set(ids) {
    this.ids = ids;
    this.places = new Map(ids.map((id, at) => [id, at]));
    if (this.#isLong) this.soon();
    else this.#draw();
  }

  soon() {
    if (!this.#isLong) return;
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.#draw();
    });
  }

  /** In view, and in the page as long as no other one is revealed. */
  reveal(id) {
    this.kept = id;
    if (this.#isLong && !this.shown.has(id) && this.places.has(id)) this.#draw();
    this.shown.get(id)?.scrollIntoView({ block: "nearest" });
  }

  /** [from, to) of the rows that are seen, and some beyond. Reads the layout: once a frame at most. */
  #window() {
    if (!this.#isLong) return [0, this.ids.length];
    this.height = [...this.shown.values()][0]?.offsetHeight || this.height || HEIGHT;
    const [list, frame] = [this.list, this.frame].map((one) => one.getBoundingClientRect());
    const start = list.top - this.list.scrollTop;
    const row = (y) => Math.floor((y - start) / this.height);
    const bottom = Math.min(list.bottom, frame.bottom, innerHeight);
    const within = (at) => Math.max(0, Math.min(this.ids.length, at));
    return [within(row(Math.max(list.top, frame.top)) - BEYOND), within(row(bottom) + 1 + BEYOND)];
  }

  /** The row that has the focus with those that Tab leads to, and the revealed one, stay wherever the list is scrolled to. */
  #wanted([from, to]) {
    const [focused] = [...this.shown].find(([, node]) => node.contains(document.activeElement)) ?? [null];
    const at = this.places.get(focused) ?? -2;
    const apart = [...new Set([this.ids[at - 1], focused, this.ids[at + 1], this.kept])]
      .filter((id) => this.places.has(id) && (this.places.get(id) < from || this.places.get(id) >= to))
      .sort((a, b) => this.places.get(a) - this.places.get(b));
    const before = apart.filter((id) => this.places.get(id) < from);
    return { before, ids: this.ids.slice(from, to), after: apart.slice(before.length) };
  }

  #draw() {
    const [from, to] = this.#window();
    const { before, ids, after } = this.#wanted([from, to]);
    const wanted = new Set([...before, ...ids, ...after]);
    for (const id of [...this.shown.keys()]) if (!wanted.has(id)) this.#remove(id);
    const rows = (some, isApart) => some.map((id) => this.#place(id, isApart));
    const room = (node, count) => {
      node.style.height = `${count * this.height}px`;
      return node;
    };
    this.#arrange(this.#isLong
      ? [room(this.above, from), ...rows(before, true), ...rows(ids, false), ...rows(after, true), room(this.below, this.ids.length - to)]
      : rows(ids, false));
  }

  /** What stands right already is not touched: it may have the focus. */
  #arrange(nodes) {
    if (!this.#isLong) for (const room of [this.above, this.below]) room.remove();
    let next = this.list.firstChild;
    for (const node of nodes) {
      if (node === next) next = next.nextSibling;
      else this.list.insertBefore(node, next);
    }
  }

  #place(id, isApart) {
    const node = this.shown.get(id) ?? this.make(id);
    this.shown.set(id, node);
    node.classList.toggle("is-apart", isApart);
    node.style.top = isApart ? `${this.places.get(id) * this.height}px` : "";
    for (const [name, value] of [["aria-setsize", this.ids.length], ["aria-posinset", this.places.get(id) + 1]]) {
      if (this.#isLong) node.setAttribute(name, value);
      else node.removeAttribute(name);
    }
    return node;
  }

  #remove(id) {
    this.shown.get(id).remove();
    this.shown.delete(id);
    this.drop(id);
  }
}
