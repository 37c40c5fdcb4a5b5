// What keys and buttons do; each is one verb on store, canvas, tools or labels.

import { fresh, moved, rounded } from "./geometry.js";
import { arrowOf } from "./keymap.js";

const LEAP = 10;
const PAN = 60;
const BESIDE = 12;

/** A box stretched at its right and lower side by whole pixels, inside the picture. */
function grown(box, [dx, dy], by, picture) {
  const side = (start, length, delta, room) => Math.max(1, Math.min(Math.max(room - start, length), length + delta * by));
  return { ...box, w: side(box.x, box.w, dx, picture.w), h: side(box.y, box.h, dy, picture.h) };
}

export function makeActions({ canvas, store, labels, tools, naming, sync, page, canWrite, picture }) {
  const chosen = () => store.chosen;
  const reshape = (make, kind) => {
    const item = chosen();
    if (item) store.change(item.id, { box: rounded(make(item.box)) }, kind);
  };
  const actions = {
    draw: () => tools.setMode("draw"),
    pick: () => tools.setMode("select"),
    digit: ({ key }) => actions.label(labels.byDigit(key)),
    label(name) {
      if (!name) return;
      labels.choose(name);
      if (chosen() && canWrite) store.change(store.selected, { label: name }, "label");
      naming.close();
    },
    name: () => naming.open(),
    next: () => store.step(1),
    previous: () => store.step(-1),
    nudge(event) {
      const [dx, dy] = arrowOf(event);
      const by = event.shiftKey ? LEAP : 1;
      if (chosen() && canWrite) reshape((box) => moved(box, dx * by, dy * by, picture), "nudge");
      else canvas.pan(-dx * PAN, -dy * PAN);
    },
    stretch: (event) => reshape((box) => grown(box, arrowOf(event), event.shiftKey ? LEAP : 1, picture), "stretch"),
    create() {
      const item = store.add(rounded(fresh(canvas.seen, picture)), labels.current);
      if (!item.label) naming.open();
    },
    double() {
      const item = chosen();
      if (item) store.add(moved(item.box, BESIDE, BESIDE, picture), item.label, item.attributes);
    },
    remove() {
      if (!chosen()) return false;
      store.remove(store.selected);
      return true;
    },
    escape() {
      if (tools.cancel()) return;
      if (naming.isOpen) naming.close();
      else if (chosen()) store.select(null);
      else page.back();
    },
    undo: () => store.undo(),
    redo: () => store.redo(),
    save: () => void sync.save(),
    zoom: ({ key }) => (key === "-" ? canvas.further() : canvas.closer()),
    closer: canvas.closer,
    further: canvas.further,
    fit: () => canvas.fit(),
    actual: () => canvas.actual(),
    names: () => page.toggleNames(),
    done: () => store.mark(store.state === "done" ? "in_progress" : "done"),
    async doneAndOn() {
      store.mark("done");
      await page.go(page.older ?? page.home);
    },
    turn: ({ key }) => void page.go(key === "PageUp" ? page.newer : page.older),
  };
  return actions;
}
