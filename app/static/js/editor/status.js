// What the editor says: saved or not, zoom, where the cursor is, how large the box is.

import { icon } from "../frame/dom.js";

const ICONS = {
  loading: "hourglass-split", saved: "check2", unsaved: "three-dots", saving: "arrow-repeat",
  waiting: "wifi-off", "signed-out": "person-x", conflict: "people", refused: "exclamation-triangle",
};
const WORDS = {
  loading: "Loading", saved: "Saved", unsaved: "Not saved yet", saving: "Saving",
  conflict: "Changed by somebody else",
};

/** Changes the text in place: a new text node would make the browser look at the whole page's style. */
function write(node, text) {
  if (!node.firstChild) node.append("");
  if (node.firstChild.data !== text) node.firstChild.data = text;
}

/** One sentence for the state of saving. */
export function saveWords({ phase, words }, waiting) {
  if (phase === "waiting") return `Not saved: ${words} Trying again by itself`;
  if (phase === "signed-out") return "Not saved: you have been signed out";
  if (phase === "refused") return `Not saved: ${words}`;
  if (phase === "saved" && waiting) return waiting === 1 ? "Saved, but one box has no label yet" : `Saved, but ${waiting} boxes have no label yet`;
  return WORDS[phase];
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
    if (this.shown !== this.sync.phase) this.mark.replaceChildren(icon(ICONS[this.sync.phase]));
    this.shown = this.sync.phase;
  }
}

const pair = (a, b) => `${Math.round(a)}, ${Math.round(b)}`;
const span = ({ w, h }) => `${Math.round(w)} × ${Math.round(h)}`;

export class StatusLine {
  constructor(root, { canvas, store, tools, picture }) {
    const part = (name) => root.querySelector(`[data-status-${name}]`);
    const [zoom, cursor, box, count] = ["zoom", "cursor", "box", "count"].map(part);
    const showZoom = ({ scale }) => write(zoom, `${Math.round(scale * 100 * devicePixelRatio)} %`);
    const showBox = (shown) => write(box, shown ? `${span(shown)} at ${pair(shown.x, shown.y)}` : "");
    const chosen = () => showBox(store.chosen?.box);
    canvas.addEventListener("change", ({ detail }) => showZoom(detail));
    showZoom(canvas.view);
    tools.addEventListener("cursor", ({ detail }) => {
      const { point } = detail;
      const inside = point && point.x >= 0 && point.y >= 0 && point.x <= picture.w && point.y <= picture.h;
      write(cursor, inside ? pair(point.x, point.y) : "");
      showBox(detail.box ?? store.chosen?.box);
    });
    for (const name of ["select", "item", "items"]) store.addEventListener(name, chosen);
    const total = () => write(count, store.items.size === 1 ? "1 box" : `${store.items.size} boxes`);
    for (const name of ["item", "items"]) store.addEventListener(name, total);
  }
}

/** Says to screen readers what was selected or done. */
export function announce(store, labels, into) {
  store.addEventListener("select", ({ detail }) => {
    const item = store.get(detail.id);
    into.textContent = item ? `${item.label ?? "Box without label"}, ${span(item.box)} at ${pair(item.box.x, item.box.y)}` : "";
  });
}
