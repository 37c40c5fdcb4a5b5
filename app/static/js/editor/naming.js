// The small field at a box that asks for its label: after drawing without one, or on E.

import { element } from "../frame/dom.js";

const GAP = 8;
const WIDTH = 232;

export class Naming {
  constructor(form, { canvas, store, labels }) {
    Object.assign(this, { form, canvas, store, labels });
    this.input = form.elements.name;
    this.options = form.querySelector("datalist");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#take();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      this.close();
    });
    canvas.addEventListener("change", () => this.#place());
    store.addEventListener("select", () => this.close(false));
  }

  get isOpen() {
    return !this.form.hidden;
  }

  open() {
    if (!this.store.chosen) return;
    this.options.replaceChildren(...this.labels.list.map(({ name }) => element("option", { value: name })));
    this.input.value = "";
    this.input.placeholder = this.labels.isOpen ? "What is it?" : "Which label?";
    this.input.setCustomValidity("");
    this.form.hidden = false;
    this.#place();
    this.input.focus();
  }

  /** Under the box, or over it where the surface ends. */
  #place() {
    const item = this.store.chosen;
    if (!this.isOpen || !item) return;
    const { x, y, h } = this.canvas.toFrame(item.box);
    const { frame } = this.canvas;
    const below = y + h + GAP;
    const { style } = this.form;
    style.left = `${Math.max(GAP, Math.min(frame.w - WIDTH - GAP, x))}px`;
    style.top = `${Math.max(GAP, below + 52 > frame.h ? Math.min(y - 52, frame.h - 60) : below)}px`;
  }

  #take() {
    const label = this.labels.learn(this.input.value);
    if (!label) {
      this.input.setCustomValidity(this.input.value.trim() ? "This collection has a closed set of labels. Choose one of them." : "Type a name.");
      this.input.reportValidity();
      this.input.addEventListener("input", () => this.input.setCustomValidity(""), { once: true });
      return;
    }
    this.store.change(this.store.selected, { label }, "label");
    this.labels.choose(label);
    this.close();
  }

  close(focus = true) {
    if (!this.isOpen) return;
    this.form.hidden = true;
    if (focus) this.canvas.root.focus({ preventScroll: true });
  }
}
