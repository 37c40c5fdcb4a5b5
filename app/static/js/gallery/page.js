// The gallery: keys, selection, actions, older pictures, the rail.

import { isForThePage } from "../frame/dom.js";
import { Actions } from "./actions.js";
import { Cursor } from "./cursor.js";
import { wireKeep } from "./keep.js";
import { follow } from "./layout.js";
import { Rail } from "./rail.js";
import { Selection } from "./selection.js";
import { returnTo, Timeline } from "./timeline.js";

const MOVES = new Set(["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Home", "End"]);

function wireKeys({ cursor, selection, actions, timeline }) {
  document.addEventListener("keydown", (event) => {
    if (!isForThePage(event) || event.ctrlKey || event.metaKey || event.altKey) return;
    const inGrid = cursor.isLink(event.target) || event.target === document.body || event.target.id === "main";
    const item = cursor.current?.closest("[data-id]");
    if (event.key === "Escape" && selection.isOn) return void selection.clear();
    if (!inGrid) return;
    if (MOVES.has(event.key)) move(event);
    else if (event.key === " " && item && cursor.isLink(event.target)) press(event, item);
    else if (event.key === "Delete" && actions?.canTrash) actions.trash();
  });

  function move(event) {
    const next = event.target === document.body ? cursor.current : cursor.target(event.key);
    if (!next) {
      if (event.key !== "Home" && event.key !== "ArrowUp") timeline.more();
      return;
    }
    event.preventDefault();
    if (event.shiftKey && selection.items.length) {
      selection.anchor ??= cursor.current.closest("[data-id]");
      selection.extend(next.closest("[data-id]"));
    }
    cursor.go(next);
  }

  function press(event, item) {
    event.preventDefault();
    if (event.shiftKey) selection.extend(item);
    else selection.toggle(item);
  }
}

function wirePops() {
  document.addEventListener("click", (event) => {
    for (const pop of document.querySelectorAll("details.pop[open]")) if (!pop.contains(event.target)) pop.open = false;
  });
  document.addEventListener("keydown", (event) => {
    const pop = event.key === "Escape" && event.target.closest?.("details.pop[open]");
    if (!pop) return;
    event.stopImmediatePropagation();
    pop.open = false;
    pop.querySelector("summary").focus();
  }, true);
}

function start(root) {
  const timeline = new Timeline(root);
  const cursor = new Cursor(root);
  const selection = new Selection(root);
  const bar = document.querySelector("[data-actions]");
  const form = document.querySelector("[data-selection]");
  const actions = bar && new Actions(form, bar, selection, cursor);
  root.addEventListener("grown", () => selection.tell());
  wireKeys({ cursor, selection, actions, timeline });
  follow(root);
  const marks = document.querySelector("[data-marks]");
  if (marks && root.classList.contains("view-grid")) new Rail(marks, root);
  returnTo(timeline);
}

wirePops();
wireKeep(document.querySelector(".filter-panel"));
const root = document.querySelector("[data-months]");
if (root) start(root);
