// What stands on the picture, as a list: keyed rows as in the view, filtered by what is typed; rows.js says which are in the page.

import { element, icon } from "../frame/dom.js";
import { swatch } from "./label-panel.js";
import { Rows } from "./rows.js";
import { kindName, kindOf } from "./shapes.js";

const size = ({ w, h }) => `${Math.round(w)} × ${Math.round(h)}`;

// Cut here and not by the style sheet: a clipped box a row costs time in every frame.
const short = (text) => (text.length > 20 ? `${text.slice(0, 19)}…` : text);

function measure(item) {
  const kind = kindOf(item);
  if (kind === "image") return "";
  return kind === "polygon" || kind === "points" ? `${item.shape.points.length} pts` : size(item.box);
}

export class ListPanel {
  constructor(root, { labels, store, layers, canWrite, onHover, onPick, onLayer }) {
    Object.assign(this, { labels, store, layers, canWrite, onHover, onPick, onLayer });
    const part = (name) => root.querySelector(`[data-${name}]`);
    [this.list, this.wholes, this.count, this.field] = ["box-list", "whole-list", "box-count", "box-filter"].map(part);
    this.rows = new Map();
    const keep = { make: (id) => this.#fill(id), drop: (id) => this.rows.delete(id) };
    [this.boxRows, this.wholeRows] = [this.list, this.wholes].map((list) => new Rows(list, list.closest(".side"), keep));
    this.filter = "";
    store.addEventListener("item", ({ detail }) => this.#drawOne(detail.id));
    store.addEventListener("items", () => this.#drawAll());
    labels.addEventListener("change", () => this.#drawAll());
    layers.addEventListener("change", ({ detail }) => detail.ids.forEach((id) => this.#layer(id)));
    store.addEventListener("select", ({ detail }) => this.#select(detail));
    this.field.addEventListener("input", () => this.#narrow(this.field.value));
  }

  #button(name, drawn, id, run) {
    return element("button", { class: `row-button is-${name}`, type: "button", tabindex: "-1", onclick: () => run(id) }, icon(drawn));
  }

  #make(id) {
    const row = {
      mark: swatch(""),
      name: element("span", { class: "box-name" }),
      size: element("span", { class: "count" }),
    };
    row.pick = element("button", { class: "box-pick", type: "button", onclick: () => this.onPick(id) }, row.mark, row.name, row.size);
    const enter = () => {
      this.#dress(id);
      this.onHover(id);
    };
    row.node = element("li", { onpointerenter: enter, onfocusin: () => this.#dress(id), onpointerleave: () => this.onHover(null) }, row.pick);
    this.rows.set(id, row);
    return row;
  }

  /** The buttons of a row, made when somebody comes near: thousands of drawings take their time. */
  #dress(id) {
    const row = this.rows.get(id);
    if (!row || row.lock) return;
    row.lock = this.#button("lock", "unlock", id, (one) => this.onLayer("lock", one));
    row.hide = this.#button("hide", "eye", id, (one) => this.onLayer("hide", one));
    row.drop = this.canWrite ? this.#button("drop", "trash3", id, (one) => this.layers.isLocked(one) || this.store.remove(one)) : null;
    row.node.append(...[row.lock, row.hide, row.drop].filter(Boolean));
    this.#layer(id);
  }

  #fill(id) {
    const item = this.store.get(id);
    const row = this.rows.get(id) ?? this.#make(id);
    const colour = this.labels.colour(item.label);
    if (row.colour !== colour) row.mark.style.background = row.colour = colour;
    const name = this.labels.name(item.label);
    row.mark.dataset.kind = kindOf(item);
    row.name.textContent = short(name ?? "no label yet");
    row.size.textContent = measure(item);
    row.said = `${kindName(item)} ${name ?? ""}`.trim();
    this.#current(id);
    this.#layer(id);
    return row.node;
  }

  #fits(item) {
    if (!this.filter) return true;
    const words = [this.labels.name(item.label) ?? "", kindName(item), ...Object.values(item.attributes ?? {})];
    return words.join(" ").toLowerCase().includes(this.filter);
  }

  #layer(id) {
    const row = this.rows.get(id);
    const [locked, hidden] = [this.layers.isLocked(id), this.layers.isHidden(id)];
    row?.node.classList.toggle("is-hidden", hidden);
    row?.node.classList.toggle("is-locked", locked);
    if (!row?.lock) return;
    const say = (button, on, drawn, words) => {
      const title = `${words}: ${row.said}`;
      if (button.getAttribute("aria-label") === title) return;
      button.setAttribute("aria-label", title);
      button.setAttribute("aria-pressed", String(on));
      button.firstChild.replaceWith(icon(drawn));
    };
    row.drop?.setAttribute("aria-label", `Delete: ${row.said}`);
    say(row.lock, locked, locked ? "lock-fill" : "unlock", locked ? "Unlock" : "Lock");
    say(row.hide, hidden, hidden ? "eye-slash-fill" : "eye", hidden ? "Show" : "Hide");
  }

  #drawOne(id) {
    if (this.rows.has(id) && this.store.get(id)) this.#fill(id);
    this.#arrange();
  }

  #drawAll() {
    for (const id of this.rows.keys()) if (this.store.get(id)) this.#fill(id);
    this.#arrange();
  }

  #narrow(text) {
    this.filter = text.trim().toLowerCase();
    this.#arrange();
  }

  #arrange() {
    const items = this.store.list;
    const isWhole = (item) => kindOf(item) === "image";
    const fitting = items.filter((item) => this.#fits(item));
    const placed = fitting.filter((item) => !isWhole(item));
    const idsOf = (some) => some.map(({ id }) => id);
    this.wholeRows.set(idsOf(fitting.filter(isWhole)));
    this.boxRows.set(idsOf(placed));
    this.#total(placed.length, items.length - items.filter(isWhole).length);
    this.list.closest("section").classList.toggle("is-empty", items.every(isWhole));
    this.wholes.closest("section").classList.toggle("is-empty", !items.some(isWhole));
  }

  #total(shown, all) {
    const words = shown === all ? `${all || ""}` : `${shown} of ${all}`;
    if (this.count.textContent !== words) this.count.textContent = words;
  }

  #current(id) {
    const pick = this.rows.get(id)?.pick;
    if (id !== this.store.selected) return pick?.removeAttribute("aria-current");
    this.#dress(id);
    return pick?.setAttribute("aria-current", "true");
  }

  #select({ id, before }) {
    for (const rows of [this.boxRows, this.wholeRows]) rows.reveal(id);
    this.#current(before);
    this.#current(id);
  }
}
