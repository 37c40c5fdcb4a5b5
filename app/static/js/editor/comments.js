// Comments on the picture, or pinned to an annotation; a rejection's reasons are among them.

import { ask } from "../frame/dialogue.js";
import { element, shape } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { ago } from "../frame/times.js";
import { toast } from "../frame/toast.js";
import { activity } from "./activity.js";

const OFTEN = 15_000;

const named = (author) => (author ? author.name : "Somebody");

class CommentPanel {
  constructor(panel, context) {
    Object.assign(this, context, { panel, comments: [], pins: shape("g", { class: "comment-pins" }) });
    this.url = context.root.dataset.commentsUrl;
    this.form = this.#part("form");
    panel.hidden = false;
    this.form.hidden = !this.canWrite;
    this.view.marks.append(this.pins);
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#post();
    });
    this.form.addEventListener("keydown", (event) => this.#onKey(event));
    for (const name of ["item", "items"]) this.store.addEventListener(name, () => this.#follow());
    this.store.addEventListener("select", () => this.#offerPin());
    this.sync.addEventListener("loaded", () => this.load(true));
    setInterval(() => document.hidden || activity.isIdle || this.sync.out || this.load(), OFTEN);
  }

  #part(name) {
    return this.panel.querySelector(`[data-comments-${name}]`);
  }

  async load(isFirst = false) {
    try {
      const { data } = await send(this.url);
      if (JSON.stringify(data.comments) === JSON.stringify(this.comments) && !isFirst) return;
      this.comments = data.comments;
      this.#draw();
      if (isFirst && this.store.state === "rejected" && this.#open.length) this.panel.open = true;
    } catch (error) {
      this.#part("words").textContent = error.message;
    }
  }

  get #open() {
    return this.comments.filter(({ resolved_at: done }) => !done);
  }

  /** Which of the comments are about what is there: a row says where its box is gone. */
  get #there() {
    return this.comments.map(({ annotation_id: id }) => (id && this.store.get(id) ? id : "")).join();
  }

  #follow() {
    if (this.drawn === this.#there) this.#pin();
    else this.#draw();
  }

  #draw() {
    this.drawn = this.#there;
    const { length } = this.#open;
    this.#part("count").textContent = length ? `${length} open` : this.comments.length ? "all resolved" : "";
    this.#part("words").textContent = this.comments.length ? "" : "No comments yet.";
    const sorted = [...this.#open, ...this.comments.filter(({ resolved_at: done }) => done)];
    const at = document.activeElement?.closest("[data-comment]")?.dataset.comment;
    this.#part("list").replaceChildren(...sorted.map((comment) => this.#row(comment)));
    if (at) this.panel.querySelector(`[data-comment="${at}"] button`)?.focus();
    this.#pin();
    this.#offerPin();
  }

  #row(comment) {
    const { id, text, author, created_at: at, resolved_at: done, annotation_id: box, rejection, can } = comment;
    const item = box && this.store.get(box);
    const about = box ? (item ? this.labels.name(item.label) ?? "a box" : "a box that is gone") : null;
    const button = (title, run, more = {}) => element("button", { class: "btn btn-ghost btn-small", type: "button", text: title, onclick: run, ...more });
    return element(
      "li",
      { "data-comment": id, class: done ? "is-resolved" : rejection ? "is-rejection" : null },
      element(
        "p",
        { class: "comment-head" },
        rejection ? element("span", { class: "comment-kind", text: "Rejected" }) : null,
        element("strong", { text: named(author) }),
        element("time", { class: "count", datetime: at, text: ago(new Date(at)) }),
      ),
      element("p", { class: "comment-text", text }),
      element(
        "div",
        { class: "comment-acts" },
        about ? button(about, () => this.#go(box), { class: "btn btn-ghost btn-small comment-pin", disabled: !item }) : null,
        can.includes(done ? "reopen" : "resolve") ? button(done ? "Open again" : "Resolve", () => this.#change(comment, { resolved: !done })) : null,
        can.includes("delete") ? button("Delete", () => this.#remove(comment)) : null,
      ),
    );
  }

  #go(id) {
    this.store.select(id);
    this.root.querySelector("[data-canvas]").focus({ preventScroll: true });
  }

  /** A mark at each annotation that has open comments. */
  #pin() {
    const about = new Map();
    for (const { annotation_id: id } of this.#open) if (id) about.set(id, (about.get(id) ?? 0) + 1);
    const marks = [...about].flatMap(([id, count]) => {
      const box = this.store.get(id)?.box;
      return box ? [shape("text", { x: box.x + box.w, y: box.y, dx: "-0.4em", dy: "0.4em", text: count > 1 ? `● ${count}` : "●" })] : [];
    });
    this.pins.replaceChildren(...marks);
  }

  #offerPin() {
    const item = this.store.chosen;
    this.#part("pin").hidden = !item;
    if (item) this.#part("pin-words").textContent = `About the selected box (${this.labels.name(item.label) ?? "no label"})`;
  }

  #onKey(event) {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.form.requestSubmit();
    } else if (event.key === "Escape") this.root.querySelector("[data-canvas]").focus({ preventScroll: true });
  }

  async #post() {
    const { text, pin } = this.form.elements;
    const item = pin.checked ? this.store.chosen : null;
    if (!text.value.trim()) return;
    if (item) await this.sync.save();
    await this.#try(() => send(this.url, { method: "POST", json: { text: text.value.trim(), ...(item ? { annotation_id: item.id } : {}) } }), () => {
      this.form.reset();
      this.announce("Your comment is saved.");
    });
  }

  #change({ id }, json) {
    return this.#try(() => send(this.#address(id), { method: "PATCH", json }), () => this.announce(json.resolved ? "Resolved." : "Open again."));
  }

  async #remove({ id }) {
    const choices = [{ value: "", title: "Cancel" }, { value: "yes", title: "Delete the comment", look: "danger" }];
    if ((await ask({ title: "Delete your comment?", words: "It is gone for everybody, and cannot be restored.", choices })) !== "yes") return;
    await this.#try(() => send(this.#address(id), { method: "DELETE" }), () => this.announce("The comment is deleted."));
  }

  #address(id) {
    return `${document.body.dataset.root}/api/v1/comments/${id}`;
  }

  async #try(work, then) {
    try {
      await work();
      then();
      await this.load();
    } catch (error) {
      toast(error.message);
    }
  }
}

/** Begins with the context of the page, see page.js. */
export function start(context) {
  if (context.root.dataset.commentsUrl) new CommentPanel(context.root.querySelector("[data-comments]"), context);
}
