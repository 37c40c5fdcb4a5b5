// The order of labels: dragged by the grip, or moved by the arrow keys; sent as soon as it rests.

import { all, settle } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { toast } from "../frame/toast.js";

const list = document.querySelector("[data-label-list]");
const form = document.querySelector("[data-label-order]");
const said = document.querySelector("[data-order-said]");

const nameOf = (row) => row.querySelector(".line-title").textContent.trim();

async function save() {
  const body = new FormData(form);
  for (const row of list.children) body.append("ids", row.dataset.label);
  try {
    const { data } = await send(form.getAttribute("action"), { method: "POST", form: body });
    for (const field of [form.elements.version, ...all("[data-version]")]) field.value = data.version;
  } catch (problem) {
    toast(problem.message || "The order could not be saved. Reload the page to see it as it is.");
  }
}

const rest = settle(save, 600);

function moved(row) {
  said.textContent = `${nameOf(row)}: place ${[...list.children].indexOf(row) + 1} of ${list.children.length}`;
  rest();
}

function shift(row, step) {
  const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
  if (!other) return;
  other[step < 0 ? "before" : "after"](row);
  row.querySelector("[data-grip]").focus();
  moved(row);
}

function wireDragging() {
  let held = null;
  list.addEventListener("dragstart", (event) => {
    held = event.target.closest("[data-label]");
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", "");
    held.classList.add("is-held");
  });
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest("[data-label]");
    if (!held) return;
    event.preventDefault();
    if (!over || over === held) return;
    const { top, height } = over.getBoundingClientRect();
    over[event.clientY < top + height / 2 ? "before" : "after"](held);
  });
  list.addEventListener("dragend", () => {
    held.classList.remove("is-held");
    moved(held);
    held = null;
  });
}

if (list && form) {
  list.addEventListener("keydown", (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const grip = event.target.closest("[data-grip]");
    if (!step || !grip) return;
    event.preventDefault();
    shift(grip.closest("[data-label]"), step);
  });
  wireDragging();
}
