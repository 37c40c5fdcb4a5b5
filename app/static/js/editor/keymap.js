// Every key of the editor in one table: it answers the keyboard, and the sheet of keys is written from it.

import { element, isForThePage } from "../frame/dom.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const only = (...keys) => (event) => keys.includes(event.key.length === 1 ? event.key.toLowerCase() : event.key) && !event.ctrlKey && !event.metaKey && !event.altKey;
const command = (key, shift = false) => (event) => (event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === key && event.shiftKey === shift;
const arrow = (test) => (event) => event.key in ARROWS && !event.ctrlKey && !event.metaKey && test(event);

// [section, keys shown (a word begins with a space), words, test(event), action name, writes?]; the first
// row that fits an event wins.
export const KEYMAP = [
  ["Boxes", ["B"], "Draw", only("b"), "draw", true],
  ["Boxes", ["V"], "Select", only("v"), "pick"],
  ["Boxes", ["1", " to ", "0"], "Give a label", (event) => /^\d$/.test(event.key) && only(event.key)(event), "digit", true],
  ["Boxes", ["L"], "Type a label", only("l"), "name", true],
  ["Boxes", ["N"], "Next box", only("n"), "next"],
  ["Boxes", ["P"], "Previous box", only("p"), "previous"],
  ["Boxes", ["←", "→", "↑", "↓"], "Move by a pixel, with Shift by ten", arrow((event) => !event.altKey), "nudge"],
  ["Boxes", ["Alt", " + arrows"], "Stretch, with Shift by ten", arrow((event) => event.altKey), "stretch", true],
  ["Boxes", ["Enter"], "New box in the middle", only("Enter"), "create", true],
  ["Boxes", ["Ctrl", "D"], "Double", command("d"), "double", true],
  ["Boxes", ["Del"], "Delete", only("Delete", "Backspace"), "remove", true],
  ["Boxes", ["Esc"], "Stop, let go, go back", only("Escape"), "escape"],
  ["Steps", ["Ctrl", "Z"], "Undo", command("z"), "undo", true],
  ["Steps", ["Ctrl", "Shift", "Z"], "Redo", (event) => command("z", true)(event) || command("y")(event), "redo", true],
  ["Steps", ["Ctrl", "S"], "Save now", command("s"), "save", true],
  ["View", ["+", "−"], "Closer, further", only("+", "=", "-"), "zoom"],
  ["View", ["F"], "Whole picture", only("f"), "fit"],
  ["View", ["Z"], "Actual size", only("z"), "actual"],
  ["View", ["Space"], "Hold, and drag to move the view", () => false, "space"],
  ["View", ["T"], "Names on the picture", only("t"), "names"],
  ["Picture", ["D"], "Done, or not done", only("d"), "done", true],
  ["Picture", ["Ctrl", "Enter"], "Done, and on to the next", command("enter"), "doneAndOn", true],
  ["Picture", ["PgUp", "PgDn"], "Newer, older picture", only("PageUp", "PageDown"), "turn"],
  ["Picture", ["?"], "This sheet", () => false, "sheet"],
];

export const arrowOf = (event) => ARROWS[event.key];

/** True where the browser's own meaning of the key on the focused control must win. */
function belongsToControl(event) {
  return ["Enter", " "].includes(event.key) && !event.ctrlKey && event.target.closest("button, a, summary, label");
}

/** Calls actions[name](event) for each key; reading-only people keep the keys that change nothing. */
export function bindKeys(actions, canWrite) {
  document.addEventListener("keydown", (event) => {
    if (!isForThePage(event) || belongsToControl(event)) return;
    const row = KEYMAP.find(([, , , test]) => test(event));
    if (!row || (row[5] && !canWrite)) return;
    if (actions[row[4]](event) !== false) event.preventDefault();
  });
}

/** The sheet that "?" opens. */
export function writeSheet(columns, canWrite) {
  const sections = new Map();
  for (const [section, keys, words, , , writes] of KEYMAP) {
    if (writes && !canWrite) continue;
    const caps = keys.map((key) => (key.startsWith(" ") ? key : element("kbd", { text: key })));
    const line = element("div", {}, element("dt", { text: words }), element("dd", {}, ...caps));
    sections.set(section, [...(sections.get(section) ?? []), line]);
  }
  columns.replaceChildren(...[...sections].flatMap(([title, lines]) => [element("h3", { text: title }), element("dl", {}, ...lines)]));
}
