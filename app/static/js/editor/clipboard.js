// Copy and paste of annotations, between pictures too, by the clipboard's own events: nothing is kept elsewhere.

import { isForThePage } from "../frame/dom.js";
import { broughtIn, movedPlace } from "./shapes.js";

// A type of our own: what is pasted into another program is nothing, not somebody's labels.
const TYPE = "application/x-darkroom-annotations";
const BESIDE = 12;

const isAt = (item, one) => item.label === one.label && JSON.stringify([item.box, item.shape]) === JSON.stringify([one.box, one.shape]);

function read(data) {
  try {
    const found = JSON.parse(data.getData(TYPE) || "[]");
    return Array.isArray(found) ? found.filter((one) => one?.box) : [];
  } catch {
    return [];
  }
}

/** Where a copy goes: inside the picture, and beside what lies there already, as often as it is pasted. */
export function placeCopy(one, items, picture) {
  let copy = { ...one, ...broughtIn(one, picture) };
  while (items.some((item) => isAt(item, copy))) {
    const next = { ...copy, ...movedPlace(copy, BESIDE, BESIDE, picture) };
    if (isAt(next, copy)) return copy; // in the corner: there is nothing further
    copy = next;
  }
  return copy;
}

/** Its class, or that of the same name where another collection has another list; null: to be asked for. */
export const classOf = ({ label, name }, labels) => (labels.get(label) ? label : name && labels.byName(name)?.id) || null;

const hasText = () => Boolean(getSelection()?.toString());

/** Wires Ctrl+C and Ctrl+V on the page. */
export function wireClipboard({ store, labels, naming, picture, canWrite, announce }) {
  const isOurs = (event) => isForThePage({ target: event.target, key: "Copy", ctrlKey: true });
  document.addEventListener("copy", (event) => {
    const item = store.chosen;
    if (!item || !isOurs(event) || hasText()) return;
    const { box, shape, label, attributes } = item;
    event.clipboardData.setData(TYPE, JSON.stringify([{ box, shape, label, name: labels.name(label), attributes }]));
    event.preventDefault();
    announce("Copied.");
  });
  document.addEventListener("paste", (event) => {
    const found = canWrite && isOurs(event) ? read(event.clipboardData) : [];
    if (!found.length) return;
    event.preventDefault();
    const copies = found.map(({ name, ...one }) => placeCopy({ ...one, label: classOf({ ...one, name }, labels) }, store.list, picture));
    const made = store.addAll(copies, "paste");
    store.select(made.at(-1).id);
    if (!store.chosen.label) naming.open();
  });
}
