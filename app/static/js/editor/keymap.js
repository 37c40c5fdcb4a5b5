// Which key calls which action. The table comes with the page, as its person chose it (app/domain/keymap.py).

import { isForThePage } from "../frame/dom.js";

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const isLetter = (key) => key.length === 1 && key.toLowerCase() !== key.toUpperCase();

/** With Alt a key may give another character; its place on the keyboard tells what is meant. */
const CODES = { Comma: ",", Period: ".", Minus: "-", Slash: "/" };
const fromCode = (code) => CODES[code] ?? (code?.startsWith("Key") ? code.slice(3).toLowerCase() : null);

/** A key press as the table writes it: "Ctrl+Shift+z", "ArrowLeft", "+". */
export function keyOf(event) {
  const typed = (event.altKey && fromCode(event.code)) || event.key;
  const key = typed === " " ? "Space" : typed === "=" ? "+" : typed.length === 1 ? typed.toLowerCase() : typed;
  const shift = event.shiftKey && (key.length > 1 || isLetter(key));
  return [(event.ctrlKey || event.metaKey) && "Ctrl", event.altKey && "Alt", shift && "Shift", key].filter(Boolean).join("+");
}

export const arrowOf = (event) => ARROWS[event.key];

const FIXED = {
  Enter: "place", Escape: "escape", Tab: "next", "Shift+Tab": "previous",
  ...Object.fromEntries([..."1234567890"].map((digit) => [digit, "digit"])),
  ...Object.fromEntries(Object.keys(ARROWS).flatMap((arrow) => [
    [arrow, "nudge"], [`Shift+${arrow}`, "nudge"], [`Alt+${arrow}`, "stretch"], [`Alt+Shift+${arrow}`, "stretch"],
  ])),
};
const BY_ALT = ["turnLeft", "turnRight"];

/** {key: {action, writes}} of rows [{action, keys, writes}] with keys apart by blanks. */
export function tableOf(rows) {
  const writes = Object.fromEntries(rows.map((row) => [row.action, row.writes]));
  const table = new Map(Object.entries(FIXED).map(([key, action]) => [key, { action, writes: writes[action] }]));
  for (const { action, keys } of rows) {
    for (const key of keys.split(" ").filter(Boolean)) {
      if (!table.has(key)) table.set(key, { action, writes: writes[action] });
      if (BY_ALT.includes(action) && !table.has(`Alt+${key}`)) table.set(`Alt+${key}`, { action, writes: true });
    }
  }
  return table;
}

/** True where the browser's own meaning of the key on the focused control must win. */
function belongsToControl(event) {
  if (event.key === "Tab") return event.target !== document.body && !event.target.closest("[data-canvas]");
  return ["Enter", " "].includes(event.key) && !event.ctrlKey && event.target.closest("button, a, summary, label");
}

/** Who is told what a label needs types it and goes on, out of the field: no text comes of Ctrl and a key. */
const goesOnFrom = (event, row) =>
  row?.action === "doneAndOn" && (event.ctrlKey || event.metaKey) && event.target.closest("[data-attributes]") && event.target.reportValidity();

/** Calls actions[name](event) for each key; reading-only people keep the keys that change nothing. */
export function bindKeys(rows, actions, canWrite) {
  const table = tableOf(rows);
  document.addEventListener("keydown", (event) => {
    const row = table.get(keyOf(event));
    if (!(isForThePage(event) || goesOnFrom(event, row)) || belongsToControl(event)) return;
    if (!row || !actions[row.action] || (row.writes && !canWrite)) return;
    if (actions[row.action](event) !== false) event.preventDefault();
  });
}
