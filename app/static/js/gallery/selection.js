// Which pictures are selected. The checkboxes hold the truth, so the plain form works the same.

import { all } from "../frame/dom.js";

const LONG_PRESS = 450;
const SLIP = 10;

const itemOf = (node) => node.closest("[data-id]");
const boxOf = (item) => item.querySelector('input[name="ids"]');

export class Selection extends EventTarget {
  constructor(root) {
    super();
    this.root = root;
    this.anchor = null;
    root.addEventListener("change", (event) => this.#changed(event.target));
    root.addEventListener("click", (event) => this.#clicked(event), true);
    this.#watchLongPress();
    this.tell();
  }

  #itemsIn(part) {
    return all("[data-id]:not([hidden])", part).filter(boxOf);
  }

  get items() {
    return this.#itemsIn(this.root);
  }

  get chosen() {
    return this.items.filter((item) => boxOf(item).checked);
  }

  get isOn() {
    return this.root.classList.contains("is-selecting");
  }

  set(items, on) {
    for (const item of items) boxOf(item).checked = on;
    this.tell();
  }

  toggle(item) {
    const box = boxOf(item);
    if (!box) return;
    this.anchor = item;
    this.set([item], !box.checked);
  }

  /** From the anchor to `item`, everything in between takes the anchor's state. */
  extend(item) {
    const items = this.items;
    const from = items.indexOf(this.anchor ?? item);
    const to = items.indexOf(item);
    if (from < 0 || to < 0) return this.toggle(item);
    const on = this.anchor ? boxOf(this.anchor).checked || !this.isOn : true;
    return this.set(items.slice(Math.min(from, to), Math.max(from, to) + 1), on);
  }

  clear() {
    this.anchor = null;
    this.set(this.items, false);
  }

  tell() {
    const chosen = new Set(this.chosen);
    for (const item of all("[data-id]", this.root)) item.classList.toggle("is-selected", chosen.has(item));
    this.root.classList.toggle("is-selecting", chosen.size > 0);
    for (const whole of all("[data-whole-month]", this.root)) this.#showMonth(whole, chosen);
    this.dispatchEvent(new CustomEvent("change", { detail: chosen.size }));
  }

  #monthItems(whole) {
    return this.#itemsIn(whole.closest("[data-month]"));
  }

  #showMonth(whole, chosen) {
    const items = this.#monthItems(whole);
    const count = items.filter((item) => chosen.has(item)).length;
    whole.checked = count > 0 && count === items.length;
    whole.indeterminate = count > 0 && count < items.length;
  }

  #changed(target) {
    if (target.matches("[data-whole-month]")) return this.set(this.#monthItems(target), target.checked);
    if (target.name === "ids") this.tell();
    return undefined;
  }

  /** Shift takes a range; while selecting, a click on a picture selects instead of opening it. */
  #clicked(event) {
    const item = itemOf(event.target);
    if (!item || !boxOf(item) || event.ctrlKey || event.metaKey) return;
    const onCheck = event.target.closest(".tile-check, .cell-check") !== null;
    const onLink = event.target.closest(".tile-link, .col-name a") !== null;
    if (this.pressed) {
      this.pressed = false;
      event.preventDefault();
    } else if (event.shiftKey && (onCheck || onLink)) {
      event.preventDefault();
      // The box shows its state again once the browser has taken the click back.
      setTimeout(() => this.extend(item));
    } else if (onCheck && event.target.name === "ids") {
      this.anchor = item;
    } else if (onLink && this.isOn && event.detail > 0) {
      event.preventDefault();
      this.toggle(item);
    }
  }

  #watchLongPress() {
    let timer = 0;
    let start = null;
    const stop = () => clearTimeout(timer);
    this.root.addEventListener("pointerdown", (event) => {
      const item = itemOf(event.target);
      this.pressed = false;
      if (event.pointerType !== "touch" || !item) return;
      start = event;
      timer = setTimeout(() => {
        this.pressed = true;
        navigator.vibrate?.(8);
        this.toggle(item);
      }, LONG_PRESS);
    });
    this.root.addEventListener("pointermove", (event) => {
      if (start && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) > SLIP) stop();
    });
    for (const name of ["pointerup", "pointercancel", "scroll"]) this.root.addEventListener(name, stop);
    this.root.addEventListener("contextmenu", (event) => this.pressed && event.preventDefault());
  }
}
