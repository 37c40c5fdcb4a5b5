// The trash: the same selection, cursor and bar as the gallery, over a plain grid.

import { isForThePage } from "../frame/dom.js";
import { Actions } from "./actions.js";
import { Cursor } from "./cursor.js";
import { Selection } from "./selection.js";
import { Timeline } from "./timeline.js";

function start(root) {
  const timeline = new Timeline(root);
  const cursor = new Cursor(root);
  const selection = new Selection(root);
  const form = document.querySelector("[data-selection]");
  new Actions(form, document.querySelector("[data-actions]"), selection, cursor);
  root.addEventListener("grown", () => selection.tell());
  document.addEventListener("keydown", (event) => {
    if (!isForThePage(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") selection.clear();
    if (!cursor.isLink(event.target)) return;
    const next = cursor.target(event.key);
    if (event.key === " ") selection.toggle(event.target.closest("[data-id]"));
    else if (next) cursor.go(next);
    else if (event.key === "ArrowDown") timeline.more();
    else return;
    event.preventDefault();
  });
}

const root = document.querySelector("[data-months]");
if (root) start(root);
