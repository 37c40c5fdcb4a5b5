// Two people changed one box: its three versions beside each other, and three ways on. No box is lost unseen.

import { ask, whenLetGo } from "../frame/dialogue.js";
import { element } from "../frame/dom.js";
import { toast } from "../frame/toast.js";
import { around, deedOf } from "./merge.js";
import { inWords, piece } from "./sketch.js";
import { changes } from "./queue_words.js";

const MARGIN = 0.35;
const KEYS = { 1: "theirs", 2: "both", 3: "mine" };
const VERSIONS = [["base", "Before"], ["theirs", "Theirs"], ["mine", "Mine"]];

export class ConflictSheet {
  constructor(sheet, { sync, labels, picture, source }) {
    Object.assign(this, { sheet, sync, labels, picture, source });
    const form = sheet.querySelector("[data-conflict-form]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#choose(event.submitter.value);
    });
    sheet.addEventListener("keydown", (event) => {
      const choice = KEYS[event.key];
      if (!choice || (choice === "both" && this.#part("both").hidden)) return;
      event.preventDefault();
      event.stopPropagation(); // the sheet is closed by then, and digits are labels on the page
      this.#choose(choice);
    });
    sync.addEventListener("conflict", () => whenLetGo(() => this.open()));
  }

  #part(name) {
    return this.sheet.querySelector(`[data-${name}]`);
  }

  get #first() {
    return this.sync.queue.clashes.values().next().value ?? null;
  }

  open() {
    if (!this.#first) return;
    this.#draw(this.#first);
    if (!this.sheet.open) this.sheet.showModal();
    this.#part("conflict-title").focus();
  }

  #draw(clash) {
    const { base, mine, theirs } = clash;
    const { size } = this.sync.queue.clashes;
    this.#part("conflict-title").textContent = `One box was changed here and elsewhere: ${this.labels.name((mine ?? theirs ?? base)?.label) ?? "no label"}`;
    this.#part("conflict-words").textContent = `They ${deedOf(base, theirs)}. You ${deedOf(base, mine)}. Nothing is lost before you choose.`;
    this.#part("conflict-count").textContent = size > 1 ? `1 of ${size}` : "";
    this.#part("both").hidden = !mine || !theirs;
    this.#part("versions").replaceChildren(...VERSIONS.filter(([name]) => name !== "base" || base).map(([name, title]) => this.#version(clash, name, title)));
  }

  #version(clash, name, title) {
    const { base, mine, theirs } = clash;
    const all = [base, mine, theirs].filter((item) => item && item.shape?.type !== "image");
    const crop = all.length ? around(all.map(({ box }) => box), MARGIN, this.picture) : { x: 0, y: 0, ...this.picture };
    const item = clash[name];
    const drawn = [
      ...VERSIONS.filter(([other]) => other !== name).map(([other]) => ({ item: clash[other], colour: "#ffffff", kind: "is-other" })),
      { item, colour: this.labels.colour(item?.label), kind: "is-own" },
    ];
    const words = item ? inWords(item, this.labels) : "deleted";
    return element("figure", {}, piece(this.source(), this.picture, crop, drawn, `${title}: ${words}`), element("figcaption", {}, element("strong", { text: title }), element("span", { text: words })));
  }

  #choose(choice) {
    if (!this.#first) return this.sheet.close();
    this.sync.choose(this.#first.id, choice);
    if (this.#first) return this.open();
    return this.sheet.close();
  }
}

/** The picture or copy was submitted, or a copy left out, while changes waited: told, with two ways on. */
async function settleSubmitted({ root, sync }) {
  const answer = await ask({
    title: root.dataset.pictureUrl ? "This picture was submitted" : "This copy is read-only",
    words: [sync.words, `${changes(sync.waiting)} made here since ${sync.waiting === 1 ? "is" : "are"} kept until you decide.`],
    choices: [
      { value: "drop", title: "Give up my changes", look: "danger" },
      { value: "", title: "Later" },
      ...(sync.mayReopen ? [{ value: "reopen", title: "Work on it again", look: "primary" }] : []),
    ],
  });
  if (answer === "reopen") return sync.reopen();
  return answer === "drop" ? sync.forget() : null;
}

/** What the server refused is marked on the picture until it is mended or sent. */
function markRefused({ sync, view }) {
  let marked = [];
  sync.addEventListener("phase", () => {
    for (const id of marked) view.nodes?.get(id)?.classList.remove("is-refused");
    marked = sync.queue.refused.map(({ id }) => id);
    for (const id of marked) view.nodes?.get(id)?.classList.add("is-refused");
  });
}

/** One that was refused can be selected from the message, so that a key or a click mends it. */
function showRefused({ store, sync, announce }) {
  sync.addEventListener("refused", ({ detail: { id, words } }) => {
    const show = () => store.select(id);
    announce(`Not saved: ${words}`);
    toast(`One box is not saved: ${words}`, { action: { title: "Show it", run: show }, linger: 12_000 });
  });
}

/** Begins with the context of the page, see page.js. */
export function start(context) {
  const { root, sync, labels, page } = context;
  const picture = { w: Number(root.dataset.w), h: Number(root.dataset.h) };
  const source = () => root.querySelector("[data-print]").src;
  const sheet = new ConflictSheet(root.querySelector("[data-conflict]"), { sync, labels, picture, source });
  page.decide = () => (sync.phase === "submitted" ? settleSubmitted(context) : sheet.open());
  sync.addEventListener("submitted", () => whenLetGo(() => sync.phase === "submitted" && settleSubmitted(context)));
  showRefused(context);
  markRefused(context);
}
