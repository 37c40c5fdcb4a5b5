// The queue of reviews by keyboard: J and K move, A accepts, R sends back, Enter opens.

import { all, isForThePage } from "../frame/dom.js";

const items = all("[data-item]");
let at = -1;

function move(step) {
  at = Math.max(0, Math.min(items.length - 1, at + step));
  items[at].focus();
  items[at].scrollIntoView({ block: "nearest" });
}

function reject(item) {
  const details = item.querySelector("details");
  if (!details) return;
  details.open = true;
  details.querySelector("textarea").focus();
}

const KEYS = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  a: () => items[at]?.querySelector("[data-accept]")?.click(),
  r: () => items[at] && reject(items[at]),
  Enter: () => items[at]?.querySelector("[data-open]").click(),
};

for (const item of items) item.addEventListener("focusin", () => (at = items.indexOf(item)));

document.addEventListener("keydown", (event) => {
  if (!items.length || !isForThePage(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  const work = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!work) return;
  event.preventDefault();
  work();
});
