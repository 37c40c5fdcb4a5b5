// The bar with the count: tag, move, trash; what went is taken out of the page, with a way back.

import { all } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { layOut } from "./layout.js";

const GONE = new Set(["trash", "move", "restore", "destroy"]);

const listOf = (item) => item.closest("[data-rows]");

/** Months count down with what leaves them, and go when nothing is left. */
function tidy(items) {
  for (const rows of new Set(items.map(listOf).filter(Boolean))) layOut(rows);
  for (const month of new Set(items.map((item) => item.closest("[data-month]")).filter(Boolean))) {
    month.hidden = month.querySelector("[data-id]:not([hidden])") === null;
  }
}

function setHidden(items, hidden) {
  for (const item of items) item.hidden = hidden;
  tidy(items);
}

export class Actions {
  constructor(form, bar, selection, cursor) {
    this.form = form;
    this.bar = bar;
    this.selection = selection;
    this.cursor = cursor;
    selection.addEventListener("change", ({ detail }) => this.#show(detail));
    form.addEventListener("submit", (event) => this.#submit(event));
    bar.addEventListener("keydown", (event) => this.#entered(event));
    bar.querySelector("[data-clear]").addEventListener("click", () => selection.clear());
    this.#show(selection.chosen.length);
  }

  get #trashButton() {
    return this.bar.querySelector('[name="action"][value="trash"]');
  }

  get canTrash() {
    return this.#trashButton !== null;
  }

  /** The Delete key: the selection, or the picture that has the focus. */
  trash() {
    const item = this.cursor?.current?.closest("[data-id]");
    if (!this.selection.isOn && item) this.selection.toggle(item);
    this.form.requestSubmit(this.#trashButton);
  }

  #show(count) {
    this.bar.classList.toggle("is-open", count > 0);
    if (count) this.bar.querySelector("[data-selected]").textContent = `${count} selected`;
    else this.#closePanels();
  }

  /** Enter in a field presses the button below it; by itself the browser would take the first of the whole bar. */
  #entered(event) {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    this.form.requestSubmit(event.target.closest(".pop-form").querySelector("[type=submit]"));
  }

  #closePanels() {
    for (const panel of all("details[open]", this.bar)) panel.open = false;
  }

  async #submit(event) {
    if (event.submitter.hasAttribute("formaction")) return; // leads to another page
    event.preventDefault();
    const action = event.submitter.value;
    const items = this.selection.chosen;
    if (!items.length) return;
    const tags = this.form.elements.tags;
    if (action === "tag" && !tags.value.trim()) return void tags.focus();
    await this.run(action, items, new FormData(this.form, event.submitter));
    if (action === "tag") tags.value = "";
  }

  /** Carries out `action` on `items`; what leaves the page can be brought back where that makes sense. */
  async run(action, items, body) {
    try {
      const { data } = await send(this.form.getAttribute("action"), { method: "POST", form: body });
      const failed = new Map(data.results.filter((one) => !one.ok).map((one) => [one.id, one.message]));
      const done = items.filter((item) => !failed.has(item.dataset.id));
      this.selection.clear();
      if (GONE.has(action) && !(action === "move" && this.form.dataset.all)) this.#takeOut(done);
      const undo = action === "trash" ? { title: "Undo", run: () => this.#bringBack(done) } : null;
      toast(data.message, { action: undo });
      for (const words of new Set(failed.values())) toast(words);
    } catch (error) {
      toast(error.message);
    }
  }

  #takeOut(items) {
    const focus = this.cursor?.links.find((link) => !items.some((item) => item.contains(link)));
    setHidden(items, true);
    this.cursor?.refresh();
    if (document.activeElement === document.body) focus?.focus({ preventScroll: true });
  }

  async #bringBack(items) {
    const body = new FormData(this.form);
    body.delete("ids");
    body.set("action", "restore");
    for (const item of items) body.append("ids", item.dataset.id);
    try {
      const { data } = await send(this.form.getAttribute("action"), { method: "POST", form: body });
      setHidden(items, false);
      this.cursor?.refresh();
      toast(data.message);
    } catch (error) {
      toast(error.message);
    }
  }
}
