// Saving by itself: soon after the last edit, one request at a time, against the revision that was seen.

import { Refusal } from "../frame/http.js";

const SOON = 700;
const RETRY = [1000, 2000, 5000, 10000, 20000];
const KEEPALIVE_LIMIT = 60000;

/**
 * `phase`: loading, saved, unsaved, saving, waiting (tries again by itself), signed-out, conflict, refused.
 * Events: "phase"; "conflict" {theirs}; "named" after a save that had labels unknown to the server.
 */
export class Sync extends EventTarget {
  /** `send(options)` asks the address of the set: {data, etag}, or throws Refusal. */
  constructor(store, send, timer = { set: (work, wait) => setTimeout(work, wait), clear: (id) => clearTimeout(id) }) {
    super();
    this.store = store;
    this.send = send;
    this.timer = timer;
    this.phase = "loading";
    this.words = "";
    this.etag = null;
    this.base = null;
    this.savedEdits = 0;
    this.tries = 0;
    this.due = null;
    this.flight = null;
    store.addEventListener("edit", () => this.#onEdit());
  }

  #turn(phase, words = "") {
    this.phase = phase;
    this.words = words;
    this.dispatchEvent(new Event("phase"));
  }

  get isDirty() {
    return this.store.edits !== this.savedEdits;
  }

  async load() {
    const { data, etag } = await this.send({});
    this.#take(data, etag);
    this.store.load(structuredClone(data));
    this.savedEdits = this.store.edits;
    this.#turn("saved");
  }

  #take(data, etag) {
    this.base = { state: data.state, annotations: structuredClone(data.annotations) };
    this.etag = etag;
  }

  #onEdit() {
    if (this.phase === "loading" || this.phase === "conflict") return;
    if (!this.flight) this.#turn("unsaved");
    this.tries = 0;
    this.#plan(SOON);
  }

  #plan(wait) {
    this.timer.clear(this.due);
    this.due = this.timer.set(() => this.save(), wait);
  }

  /** Saves what is unsaved; resolves when nothing is under way any more. */
  save() {
    this.timer.clear(this.due);
    if (!this.flight && this.isDirty && this.phase !== "conflict" && this.phase !== "loading") {
      this.flight = this.#put().finally(() => {
        this.flight = null;
        if (this.phase === "saved" && this.isDirty) this.#onEdit();
      });
    }
    return this.flight ?? Promise.resolve();
  }

  async #put() {
    const edits = this.store.edits;
    const set = this.store.document();
    this.#turn("saving");
    try {
      const { data, etag } = await this.send({ method: "PUT", json: set, headers: { "If-Match": this.etag } });
      this.tries = 0;
      this.savedEdits = edits;
      this.#take(data, etag);
      this.store.accept(data, set);
      this.#turn("saved");
      this.dispatchEvent(new Event("saved"));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#fail(error);
    }
  }

  #fail(error) {
    if (error.status === 412) return this.#clash(error);
    if (error.status === 401) {
      this.#plan(RETRY.at(-1));
      return this.#turn("signed-out", error.message);
    }
    if (!error.isPassing) return this.#turn("refused", error.message);
    const wait = (error.retryAfter ?? 0) * 1000 || RETRY[Math.min(this.tries, RETRY.length - 1)];
    this.tries += 1;
    this.#plan(wait);
    return this.#turn("waiting", error.message);
  }

  #clash({ body, etag }) {
    const theirs = body.current ?? body;
    this.theirs = { set: { state: theirs.state, annotations: theirs.annotations }, etag };
    this.#turn("conflict");
    this.dispatchEvent(new CustomEvent("conflict", { detail: this.theirs.set }));
  }

  /** After a conflict: go on from their revision with `set` (null: mine as it is). */
  settle(set) {
    const { set: theirs, etag } = this.theirs;
    this.theirs = null;
    this.#take(theirs, etag);
    this.phase = "unsaved";
    if (set) this.store.replace(structuredClone(set));
    if (set === theirs) this.savedEdits = this.store.edits;
    if (!this.isDirty) return this.#turn("saved");
    this.#turn("unsaved");
    return this.save();
  }

  /** Try now: the network is back, the person came back from signing in. */
  again() {
    if (this.phase === "waiting" || this.phase === "signed-out") this.save();
  }

  /** The page goes away: what is unsaved is sent behind it, if a browser lets it through. */
  leave() {
    if (!this.isDirty || this.phase === "conflict" || this.phase === "loading") return;
    const json = this.store.document();
    if (JSON.stringify(json).length > KEEPALIVE_LIMIT) return;
    this.send({ method: "PUT", json, headers: { "If-Match": this.etag }, keepalive: true }).catch(() => {});
  }
}
