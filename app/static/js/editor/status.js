// What the editor says: saved or not, zoom, where the cursor is, how large the box is.

import { icon } from "../frame/dom.js";
import { saveWords } from "./queue_words.js";
import { kindName } from "./shapes.js";

const ICONS = {
  loading: "hourglass-split", saved: "check2", unsaved: "three-dots", saving: "arrow-repeat",
  waiting: "wifi-off", "signed-out": "person-x", stranger: "person-x", conflict: "people",
  submitted: "check2-circle", refused: "exclamation-triangle",
};
/** Changes the text in place: a new text node would make the browser look at the whole page's style. */
function write(node, text) {
  if (!node.firstChild) node.append("");
  if (node.firstChild.data !== text) node.firstChild.data = text;
}

export class SaveState {
  constructor(root, sync, store) {
    Object.assign(this, { root, sync, store });
    this.text = root.querySelector("[data-save-words]");
    this.mark = root.querySelector("[data-save-icon]");
    sync.addEventListener("phase", () => this.show());
    store.addEventListener("edit", () => this.show());
    this.show();
  }

  show() {
    const words = saveWords(this.sync, this.store.waiting);
    this.root.dataset.phase = this.sync.phase;
    if (this.text.textContent !== words) this.text.textContent = words;
    this.root.title = words;
    if (this.shown !== this.sync.phase) this.mark.replaceChildren(icon(ICONS[this.sync.phase]));
    this.shown = this.sync.phase;
  }
}

const pair = (a, b) => `${Math.round(a)}, ${Math.round(b)}`;
const span = ({ w, h }) => `${Math.round(w)} × ${Math.round(h)}`;
const DEGREES = (shape) => (shape?.type === "rotated" ? `, ${shape.angle}°` : "");

/** Size and place of an item in words: "120 × 80 at 10, 20". */
export function placeWords({ box, shape }) {
  if (shape?.type === "image") return "whole picture";
  const points = shape?.points ? `${shape.points.length} points, ` : "";
  return `${points}${span(shape?.type === "rotated" ? shape : box)} at ${pair(box.x, box.y)}${DEGREES(shape)}`;
}

export class StatusLine {
  constructor(root, { canvas, store, tools, picture }) {
    const part = (name) => root.querySelector(`[data-status-${name}]`);
    const [zoom, cursor, box, count] = ["zoom", "cursor", "box", "count"].map(part);
    const showZoom = ({ scale }) => write(zoom, `${Math.round(scale * 100 * devicePixelRatio)} %`);
    const showPlace = (place) => write(box, place ? placeWords(place) : "");
    canvas.addEventListener("change", ({ detail }) => showZoom(detail));
    showZoom(canvas.view);
    tools.addEventListener("cursor", ({ detail }) => {
      const { point } = detail;
      const inside = point && point.x >= 0 && point.y >= 0 && point.x <= picture.w && point.y <= picture.h;
      write(cursor, inside ? pair(point.x, point.y) : "");
      showPlace(detail.box ? { box: detail.box } : store.chosen);
    });
    for (const name of ["select", "item", "items"]) store.addEventListener(name, () => showPlace(store.chosen));
    const total = () => write(count, store.items.size === 1 ? "1 annotation" : `${store.items.size} annotations`);
    for (const name of ["item", "items"]) store.addEventListener(name, total);
  }
}

/** Tells screen readers what was selected and done; a held key is told once it rests. */
export function tellWhatHappens(store, labels, announce, describe) {
  const named = (item) => `${labels.name(item.label) ?? "No label yet"}, ${kindName(item)}, ${placeWords(item)}`;
  store.addEventListener("select", ({ detail }) => {
    const item = store.get(detail.id);
    if (item) describe(named(item));
  });
  store.addEventListener("item", ({ detail }) => {
    const item = store.get(detail.id);
    if (item && detail.id === store.selected) describe(named(item));
  });
  store.addEventListener("op", ({ detail: { op } }) => {
    if (op.kind === "delete") announce(`${labels.name(op.before.label)} deleted`);
    if (op.kind === "order") describe("In another order now");
  });
}
