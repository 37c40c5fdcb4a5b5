// Who else has this picture open, what they change, and the one thing to do about what is not saved.

import { element } from "../frame/dom.js";
import { Refusal } from "../frame/http.js";
import { activity } from "./activity.js";

const OFTEN = 3000;
const SELDOM = 15_000;
const SHOWN = 4;

/** What can be done in a phase: a word for the button, and what it does. */
const ACTS = {
  "signed-out": ["Sign in", ({ page }) => page.signIn()],
  stranger: ["Sign in", ({ page }) => page.signIn()],
  conflict: ["Decide", ({ page }) => page.decide()],
  submitted: ["Decide", ({ page }) => page.decide()],
  waiting: ["Try now", ({ sync }) => sync.again()],
};

class People {
  constructor(list, announce) {
    Object.assign(this, { list, announce, names: new Map(), isFirst: true });
  }

  /** Those of an answer, without this tab's own person. */
  show(people) {
    const now = new Map(people.filter(({ you }) => !you).map((one) => [one.name, one]));
    const came = [...now.keys()].filter((name) => !this.names.has(name));
    const left = [...this.names.keys()].filter((name) => !now.has(name));
    if (!came.length && !left.length) return;
    this.names = now;
    const more = now.size - SHOWN;
    this.list.replaceChildren(
      ...[...now.values()].slice(0, SHOWN).map(({ name, initials }) => element("li", { title: `${name} is here too` }, element("span", { "aria-hidden": "true", text: initials }), element("span", { class: "visually-hidden", text: name }))),
      ...(more > 0 ? [element("li", { text: `+${more}` })] : []),
    );
    this.list.hidden = now.size === 0;
    const words = [...came.map((name) => `${name} opened this picture too.`), ...left.map((name) => `${name} left this picture.`)];
    this.announce(words.join(" "));
  }
}

/** Asks for news every 3 seconds, in a hidden tab every 15, with nobody there not at all; one request at a time. */
class Polling {
  constructor({ sync }, people) {
    Object.assign(this, { sync, people, timer: 0 });
    document.addEventListener("visibilitychange", () => document.hidden || this.#plan(200));
    activity.addEventListener("back", () => this.#plan(200));
    this.#plan(200);
  }

  #plan(wait) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#ask(), wait);
  }

  async #ask() {
    let pause = document.hidden ? SELDOM : OFTEN;
    try {
      if (!this.sync.out && !activity.isIdle) this.people.show((await this.sync.look()).people ?? []);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      pause = error.status === 404 ? SELDOM : Math.max(pause, (error.retryAfter ?? 0) * 1000);
    } finally {
      this.#plan(pause);
    }
  }
}

/**
 * While the pointer is down on the canvas, what is selected or dragged is not changed under the hand; nor what
 * is being named, since the letters of a field that closes would be keys of the page.
 */
function holdWhileInHand({ root, store, sync, tools }) {
  let isDown = false;
  const naming = root.querySelector("[data-naming]");
  root.querySelector("[data-canvas]").addEventListener("pointerdown", () => (isDown = true), true);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (isDown = false), true);
  const isNamed = (id) => id === store.selected && !naming.hidden && naming.contains(document.activeElement);
  sync.isHeld = (id) => isNamed(id) || (isDown && [store.selected, tools.gesture?.item?.id].includes(id));
}

function wireAct(context) {
  const { root, sync } = context;
  const button = root.querySelector("[data-save-act]");
  const show = () => {
    const [title] = ACTS[sync.phase] ?? [];
    button.hidden = !title;
    if (title && button.textContent !== title) button.textContent = title;
  };
  button.addEventListener("click", () => ACTS[sync.phase]?.[1](context));
  sync.addEventListener("phase", show);
}

/** Begins with the context of the page, see page.js. */
export function start(context) {
  const { root, sync, announce } = context;
  holdWhileInHand(context);
  wireAct(context);
  const people = new People(root.querySelector("[data-people]"), announce);
  if (root.dataset.changesUrl) sync.addEventListener("loaded", () => new Polling(context, people));
}
