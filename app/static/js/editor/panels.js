// The lists at the right: labels with their digits, boxes with their labels. Keyed rows, as in the view.

import { element, icon } from "../frame/dom.js";

function swatch(colour) {
  const mark = element("span", { class: "swatch" });
  mark.style.background = colour;
  return mark;
}

export class LabelPanel {
  /** `onChoose(name)` labels the selected box, or what is drawn next. */
  constructor(root, labels, store, onChoose) {
    this.list = root.querySelector("[data-label-list]");
    this.labels = labels;
    this.store = store;
    this.onChoose = onChoose;
    const redraw = () => this.#draw();
    labels.addEventListener("change", redraw);
    store.addEventListener("select", redraw);
    store.addEventListener("items", redraw);
    store.addEventListener("item", redraw);
    this.#wireForm(root.querySelector("[data-label-form]"));
  }

  #wireForm(form) {
    form?.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = this.labels.learn(form.elements.name.value);
      if (!name) return;
      form.reset();
      this.onChoose(name);
    });
  }

  #counts() {
    const counts = new Map();
    for (const { label } of this.store.items.values()) counts.set(label, (counts.get(label) ?? 0) + 1);
    return counts;
  }

  #draw() {
    const counts = this.#counts();
    const active = this.store.chosen?.label ?? this.labels.current;
    const key = JSON.stringify([active, [...counts], this.labels.list]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    this.list.replaceChildren(...this.labels.list.map((label) => this.#chip(label, counts.get(label.name) ?? 0, label.name === active)));
    if (focused) this.list.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  #chip({ name, colour, hotkey }, count, active) {
    return element(
      "li",
      {},
      element(
        "button",
        { class: "label-chip", type: "button", "data-name": name, "aria-pressed": String(active), onclick: () => this.onChoose(name) },
        swatch(colour),
        element("span", { class: "clip", text: name }),
        count ? element("span", { class: "count", text: count, "aria-label": `${count} boxes` }) : null,
        hotkey ? element("kbd", { text: hotkey }) : null,
      ),
    );
  }
}

const size = ({ w, h }) => `${Math.round(w)} × ${Math.round(h)}`;

// Cut here and not by the style sheet: a clipped box a row costs time in every frame.
const short = (text) => (text.length > 22 ? `${text.slice(0, 21)}…` : text);

export class BoxPanel {
  constructor(root, labels, store, { canWrite, onHover, onPick }) {
    Object.assign(this, { labels, store, canWrite, onHover, onPick });
    this.list = root.querySelector("[data-box-list]");
    this.count = root.querySelector("[data-box-count]");
    this.rows = new Map();
    store.addEventListener("item", ({ detail }) => this.#drawOne(detail.id));
    store.addEventListener("items", () => this.#drawAll());
    labels.addEventListener("change", () => this.#drawAll());
    store.addEventListener("select", ({ detail }) => this.#select(detail));
  }

  #make(id) {
    const row = {
      mark: swatch(""),
      name: element("span", { class: "box-name" }),
      size: element("span", { class: "count" }),
    };
    row.pick = element("button", { class: "box-pick", type: "button", onclick: () => this.onPick(id) }, row.mark, row.name, row.size);
    row.drop = this.canWrite
      ? element("button", { class: "box-drop", type: "button", tabindex: "-1", onclick: () => this.store.remove(id) }, icon("x-lg"))
      : null;
    row.node = element("li", { onpointerenter: () => this.onHover(id), onpointerleave: () => this.onHover(null) }, row.pick, row.drop);
    this.rows.set(id, row);
    return row;
  }

  #fill(id) {
    const item = this.store.get(id);
    const row = this.rows.get(id) ?? this.#make(id);
    const colour = this.labels.colour(item.label);
    if (row.colour !== colour) row.mark.style.background = row.colour = colour;
    row.name.textContent = short(item.label ?? "no label yet");
    row.size.textContent = size(item.box);
    row.drop?.setAttribute("aria-label", `Delete the box ${item.label ?? ""}`);
    return row.node;
  }

  #drawOne(id) {
    if (!this.store.get(id)) {
      this.rows.get(id)?.node.remove();
      this.rows.delete(id);
    } else if (this.rows.has(id)) this.#fill(id);
    else this.list.append(this.#fill(id));
    this.#total();
  }

  #drawAll() {
    for (const id of [...this.rows.keys()]) if (!this.store.get(id)) this.#drawOne(id);
    this.list.replaceChildren(...[...this.store.items.keys()].map((id) => this.#fill(id)));
    this.#total();
  }

  #total() {
    const { size: all } = this.store.items;
    this.count.textContent = all ? `${all}` : "";
    this.list.parentElement.classList.toggle("is-empty", all === 0);
  }

  #select({ id, before }) {
    const [old, now] = [this.rows.get(before), this.rows.get(id)];
    old?.pick.removeAttribute("aria-current");
    now?.pick.setAttribute("aria-current", "true");
    now?.node.scrollIntoView({ block: "nearest" });
  }
}
