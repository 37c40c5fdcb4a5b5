// The labels at the right, each with its colour, its digit and how often it stands here.

import { element } from "../frame/dom.js";

export function swatch(colour) {
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
      const label = this.labels.learn(form.elements.name.value);
      if (!label) return;
      form.reset();
      this.onChoose(label);
    });
  }

  #counts() {
    const counts = new Map();
    for (const { label } of this.store.items.values()) {
      const id = this.labels.get(label)?.id;
      counts.set(id, (counts.get(id) ?? 0) + 1);
    }
    return counts;
  }

  #draw() {
    const counts = this.#counts();
    const active = this.labels.get(this.store.chosen?.label ?? this.labels.current)?.id;
    const key = JSON.stringify([active, [...counts], this.labels.list]);
    if (key === this.drawn) return;
    this.drawn = key;
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.name : null;
    this.list.replaceChildren(...this.labels.list.map((label) => this.#chip(label, counts.get(label.id) ?? 0, label.id === active)));
    if (focused) this.list.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }

  #chip({ id, name, colour, hotkey }, count, active) {
    return element(
      "li",
      {},
      element(
        "button",
        { class: "label-chip", type: "button", "data-name": name, "aria-pressed": String(active), onclick: () => this.onChoose(id) },
        swatch(colour),
        element("span", { class: "clip", text: name }),
        count ? element("span", { class: "count", text: count, "aria-label": `${count} boxes` }) : null,
        hotkey ? element("kbd", { text: hotkey }) : null,
      ),
    );
  }
}
