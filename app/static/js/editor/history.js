// The history of the picture: who changed what, when, drawn on the picture, and back to any point.

import { ask } from "../frame/dialogue.js";
import { element, shape } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { ago } from "../frame/times.js";
import { toast } from "../frame/toast.js";
import { deedsOf, savesOf } from "./past_words.js";
import { sketch } from "./sketch.js";
import { itemOf } from "./wire.js";

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const FRESH = 1500;

const nameOf = (person) => person?.name ?? "Somebody";

class HistoryPanel {
  constructor(root, context) {
    Object.assign(this, context, { panel: root });
    const { historyUrl, restoreUrl } = context.root.dataset;
    Object.assign(this, { historyUrl, restoreUrl, entries: [], log: [], next: null, ghost: shape("g", { class: "ghost" }) });
    this.list = this.#part("list");
    this.panel.hidden = false;
    this.panel.addEventListener("toggle", () => (this.panel.open ? this.load() : this.#fade()));
    this.#part("more").addEventListener("click", () => this.load(this.next));
    for (const name of ["saved", "received"]) this.sync.addEventListener(name, () => this.#soon());
  }

  #part(name) {
    return this.panel.querySelector(`[data-history-${name}]`);
  }

  /** After a change the open list is read again, when the changes pause. */
  #soon() {
    if (!this.panel.open) return;
    clearTimeout(this.due);
    this.due = setTimeout(() => this.panel.open && this.load(), FRESH);
  }

  async load(cursor = null) {
    try {
      const query = cursor ? `?${new URLSearchParams({ cursor })}` : "";
      const { data } = await send(this.historyUrl + query);
      this.log = cursor ? [...this.log, ...data.history] : data.history;
      this.entries = savesOf(this.log);
      this.next = data.pagination?.next_cursor ?? null;
      this.#draw();
    } catch (error) {
      this.#part("words").textContent = error.message;
    }
  }

  #draw() {
    const at = document.activeElement?.closest("[data-history-list] li")?.dataset.seq;
    this.list.replaceChildren(...this.entries.map((entry, place) => this.#row(entry, place === 0)));
    this.list.querySelector(`[data-seq="${at}"] button`)?.focus();
    this.#part("more").hidden = !this.next;
    this.#part("words").textContent = this.entries.length ? "" : "Nothing was changed yet.";
  }

  #row(entry, isLatest) {
    const { seq, at, person } = entry;
    const words = deedsOf(entry, this.labels);
    const when = new Date(at);
    const show = () => this.#show(entry);
    const look = element(
      "button",
      { class: "past", type: "button", onfocus: show, onblur: () => this.#fade(), onclick: show },
      element("span", { class: "past-who", text: nameOf(person) }),
      element("span", { class: "past-what", text: words }),
      element("time", { class: "count", datetime: at, title: MOMENT.format(when), text: ago(when) }),
    );
    const back = this.canWrite && !isLatest && this.restoreUrl
      ? element("button", { class: "btn btn-ghost btn-small past-back", type: "button", text: "Go back to here", onclick: () => this.#restore(entry) })
      : null;
    return element("li", { "data-seq": seq, onpointerenter: show, onpointerleave: () => this.#fade() }, look, back);
  }

  /** Before dashed, after in the label's colour, over the picture. */
  #show({ changes }) {
    const boxes = changes.filter(({ id }) => id);
    const drawn = boxes.flatMap(({ before, after }) => [
      before && sketch(itemOf(before), "#ffffff", "is-before"),
      after && sketch(itemOf(after), this.labels.colour(itemOf(after).label), "is-after"),
    ]);
    this.ghost.replaceChildren(...drawn.filter(Boolean));
    this.view.group.append(this.ghost);
  }

  #fade() {
    this.ghost.remove();
  }

  async #restore(entry) {
    const { seq, at, person } = entry;
    const later = this.entries.filter((other) => other.seq > seq).length;
    const answer = await ask({
      title: "Go back to this point?",
      words: [
        `The annotations become what they were after ${nameOf(person)} ${deedsOf(entry, this.labels)}, ${MOMENT.format(new Date(at))}.`,
        `What was done since (${later === 1 ? "1 save" : `${later} saves`}) is taken back for everybody. It stays in the history, and going back is a change like any other: you can go forth again.`,
      ],
      choices: [{ value: "", title: "Cancel" }, { value: "yes", title: "Go back to here", look: "primary" }],
    });
    if (answer !== "yes") return;
    await this.sync.save();
    try {
      await send(this.restoreUrl, { method: "POST", json: { seq } });
      await this.sync.look();
      toast("The annotations are as they were then.");
      await this.load();
    } catch (error) {
      toast(error.message);
    }
  }
}

/** Begins with the context of the page, see page.js. */
export function start(context) {
  if (context.root.dataset.historyUrl) new HistoryPanel(context.root.querySelector("[data-history]"), context);
}
