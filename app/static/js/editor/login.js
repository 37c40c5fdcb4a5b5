// Signing in again in a dialogue, without leaving the picture. What waits is sent only for who changed it.

import { whenLetGo } from "../frame/dialogue.js";
import { Refusal, fetchPage } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { Keeper } from "./queue_keeper.js";
import { changes } from "./queue_words.js";

const TOLD = {
  "signed-out": {
    title: "Sign in again",
    words: (waiting) => `Your session has ended.${waiting ? ` ${changes(waiting)} of yours ${waiting === 1 ? "waits" : "wait"} here and ${waiting === 1 ? "is" : "are"} saved as soon as you are back.` : ""}`,
  },
  stranger: {
    title: "Somebody else is signed in",
    words: (waiting, name) => `${waiting ? changes(waiting) : "What you do"} on this page belong${waiting === 1 || !waiting ? "s" : ""} to ${name} and will not be saved as anybody else. Sign in as ${name} to go on.`,
  },
};

/** Posts the form as the login page would; null when signed in, else why not. */
async function signIn(form) {
  const { content: token } = (await fetchPage(form.action)).querySelector('meta[name="csrf-token"]');
  const body = new FormData(form);
  body.set("csrf_token", token);
  body.set("next", form.dataset.next);
  const response = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" }, credentials: "same-origin" }).catch(() => {
    throw new Refusal(0);
  });
  if (response.ok && new URL(response.url).pathname !== new URL(form.action).pathname) return null;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  return page.querySelector("[data-summary]")?.textContent.trim() || new Refusal(response.status).message;
}

export class LoginSheet {
  constructor(sheet, sync) {
    Object.assign(this, { sheet, sync });
    this.form = sheet.querySelector("[data-login-form]");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    sheet.querySelector("[data-login-later]").addEventListener("click", () => sheet.close());
    sync.addEventListener("signed-out", () => whenLetGo(() => sync.out && this.open()));
    sync.addEventListener("phase", () => sync.out || this.sheet.close());
  }

  #part(name) {
    return this.sheet.querySelector(`[data-login-${name}]`);
  }

  open() {
    this.#write();
    if (!this.sheet.open) this.sheet.showModal();
    this.form.elements.password.focus();
  }

  #write() {
    const { title, words } = TOLD[this.sync.out] ?? TOLD["signed-out"];
    this.#part("title").textContent = title;
    this.#part("words").textContent = words(this.sync.waiting, this.sheet.dataset.name);
    this.#fail(null);
  }

  #fail(words) {
    this.#part("error").hidden = !words;
    this.#part("error-words").textContent = words ?? "";
  }

  async #submit() {
    const button = this.form.querySelector("[type=submit]");
    button.disabled = true;
    try {
      const wrong = await signIn(this.form);
      if (wrong) this.#fail(wrong);
      else if (await this.sync.identify()) this.#done();
    } catch (error) {
      this.#fail(error.message);
    } finally {
      button.disabled = false;
      this.form.elements.password.value = "";
    }
  }

  #done() {
    this.sheet.close();
    toast("You are signed in again.");
  }
}

/** Without https, or where the browser stores nothing: what waits is gone with the tab, and that is said. */
function keepInTab(sync, note) {
  sync.isTabOnly = true;
  note.hidden = false;
  const tell = () => {
    if (sync.phase !== "waiting") return;
    sync.removeEventListener("phase", tell);
    toast(`${note.title} Leave the tab open until it says Saved.`, { linger: 12_000 });
  };
  sync.addEventListener("phase", tell);
}

/** What waits is kept over a restart; where the server gave no keys, it is asked again once a save went through. */
async function keep(sync, place, note) {
  try {
    if (!(await Keeper.start(sync, place))) keepInTab(sync, note);
  } catch (error) {
    if (error instanceof Refusal) sync.addEventListener("saved", () => keep(sync, place, note), { once: true });
    else keepInTab(sync, note);
  }
}

/** Begins with the context of the page, see page.js. */
export function start({ root, sync, page }) {
  const sheet = new LoginSheet(root.querySelector("[data-login]"), sync);
  page.signIn = () => sheet.open();
  const note = root.querySelector("[data-tab-only]");
  sync.addEventListener("loaded", () => keep(sync, { set: root.dataset.setUrl, page: location.pathname }, note));
}
