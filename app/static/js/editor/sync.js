// Saving by itself: each change is an operation, sent soon after the last one, one request at a time.

import { Refusal } from "../frame/http.js";
import { Leaving } from "./leaving.js";
import { changesTo, itemOrNull, newsOf } from "./merge.js";
import { OpQueue, ORDER } from "./queue.js";
import { isAboutState, isSignedOut, isSubmitted, placeOf } from "./queue_wire.js";
import { newId } from "./store.js";
import { itemOf } from "./wire.js";

const [SOON, LONGEST] = [700, 1800]; // A change waits no longer than the second, however many follow.
const RETRY = [1000, 2000, 5000, 10000, 20000];
const TIMER = { set: (work, wait) => setTimeout(work, wait), clear: (id) => clearTimeout(id), now: () => Date.now() };

/**
 * `phase`: loading, saved, unsaved, saving, waiting (tries again by itself), signed-out, stranger (another
 * account is signed in), conflict, submitted, refused. queue_words.js has a line for each.
 * Events: "loaded"; "phase"; "saved"; "empty"; "conflict"; "submitted"; "refused" {id, words}; "received"
 * {ids}; "schema" {schema}: the labels are of another version; "signed-out".
 */
export class Sync extends EventTarget {
  constructor(store, wire, user, timer = TIMER) {
    super();
    Object.assign(this, { store, wire, user, timer });
    Object.assign(this, { queue: new OpQueue(newId), tab: newId(), leaving: new Leaving() });
    this.kept = null; // queue_keeper.js: the write of the draft that is under way
    this.isTabOnly = false; // login.js: nothing keeps what waits when the tab is closed
    this.isHeld = () => false; // presence.js: whether a drag is under way on this item
    Object.assign(this, { isLoading: true, out: null, trouble: null, halt: null, words: "", savedAt: null });
    Object.assign(this, { revision: 0, tries: 0, due: null, since: null, work: null, most: undefined, requests: 0 });
    store.addEventListener("op", ({ detail }) => this.queue.noteOp(detail.op));
    store.addEventListener("edit", () => this.#onEdit());
  }

  get phase() {
    if (this.isLoading) return "loading";
    if (this.out || this.halt) return this.out || this.halt;
    if (this.queue.clashes.size) return "conflict";
    if (this.trouble) return "waiting";
    if (this.queue.flight) return "saving";
    if (this.queue.refused.length) return "refused";
    return this.queue.count ? "unsaved" : "saved";
  }

  get waiting() {
    return this.queue.count;
  }

  get isDirty() {
    return this.waiting > 0;
  }

  get clashes() {
    return this.queue.clashes.size;
  }

  get isOffline() {
    return this.trouble?.status === 0 || !navigator.onLine;
  }

  #turn() {
    this.words = this.trouble?.message ?? this.haltWords ?? this.queue.refused[0]?.words ?? "";
    this.dispatchEvent(new Event("phase"));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  async load() {
    const { data } = await this.wire.read();
    this.queue.begin(data.annotations.map(itemOf));
    Object.assign(this, { revision: data.revision ?? 0, state: data.state, schema: data.schema });
    this.store.load(structuredClone(data));
    this.isLoading = false;
    this.#turn();
    this.#tell("loaded");
  }

  #onEdit() {
    if (this.isLoading) return;
    if (this.store.asked) this.queue.noteState(this.store.asked);
    if (this.halt === "refused") this.halt = this.haltWords = null;
    this.tries = 0;
    this.since ??= this.timer.now();
    this.#plan(Math.max(0, Math.min(SOON, this.since + LONGEST - this.timer.now())));
    this.#turn();
  }

  #plan(wait) {
    this.timer.clear(this.due);
    this.due = this.timer.set(() => this.save(), wait);
  }

  /** Sends what waits; resolves when nothing is under way any more. */
  save() {
    this.timer.clear(this.due);
    this.work ??= this.#drain().finally(() => (this.work = null));
    return this.work;
  }

  get #maySend() {
    return !this.isLoading && !this.out && !this.halt && this.queue.isReady;
  }

  async #drain() {
    while (this.#maySend) {
      this.since = null;
      const body = this.queue.take(this.most);
      this.#turn();
      await Promise.race([this.kept, this.leaving.now]);
      if (!(await this.#send(body))) return;
    }
    this.most = undefined;
    if (!this.queue.count) this.#tell("empty");
  }

  /** Whether to go on at once. */
  async #send(body) {
    this.requests += 1;
    try {
      const { data } = await this.wire.patch(body);
      this.#done(data, body, this.queue.confirm(data.applied));
      this.#compare(data);
      return true;
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return this.#fail(error, body);
    }
  }

  #done({ revision, state }, body, revised) {
    Object.assign(this, { state, tries: 0, trouble: null, savedAt: new Date(this.timer.now()) });
    if (revision === this.revision + 1) this.revision = revision;
    this.store.accept({ state, annotations: revised }, body);
    this.#turn();
    this.#tell("saved");
  }

  #fail(error, body) {
    this.trouble = null;
    if (isSignedOut(error)) return this.#leave("signed-out");
    if (error.isPassing) return this.#later(error);
    if (error.status === 409) return this.#disagree(error, body);
    if (error.status === 413 || error.status === 422) return this.#mend(error, body);
    this.queue.unload();
    return this.#stop("refused", error.message);
  }

  #later(error) {
    this.trouble = error;
    this.#plan((error.retryAfter ?? 0) * 1000 || RETRY[Math.min(this.tries, RETRY.length - 1)]);
    this.tries += 1;
    this.#turn();
    return false;
  }

  #stop(halt, words) {
    Object.assign(this, { halt, haltWords: words });
    this.#turn();
    return false;
  }

  #disagree({ body: told, message }, body) {
    if (!told.conflicts) {
      this.queue.unload();
      if (!isSubmitted(told)) return this.#stop("refused", message);
      this.mayReopen = told.may_reopen === true;
      this.#stop("submitted", message);
      this.#tell("submitted");
      return false;
    }
    const conflicts = told.conflicts.map((one) => ({ id: one.id, base: itemOrNull(one.base), theirs: itemOrNull(one.theirs) }));
    const { revised, settled } = this.queue.clash(told.applied ?? [], conflicts);
    this.store.receive(settled);
    this.#done(told, body, revised);
    if (this.clashes) this.#tell("conflict");
    return true;
  }

  /** One operation is wrong, or all together are too much: it is found, and the others go on. */
  #mend(error, body) {
    const place = placeOf(error.body);
    const many = body.ops.length > 1;
    if (!many && (!body.ops.length || isAboutState(error.body))) {
      this.queue.unload();
      this.queue.state = null;
      this.#accept(this.state);
      return this.#stop("refused", error.message);
    }
    if (many && (place === null || error.status === 413)) {
      this.most = Math.max(1, Math.floor(body.ops.length / 2));
      this.queue.unload();
      return true;
    }
    const { id } = this.queue.flight.entries[place ?? 0];
    this.queue.refuse(place ?? 0, error.message);
    this.#turn();
    this.#tell("refused", { id, words: error.message });
    return true;
  }

  #leave(out) {
    this.out = out;
    this.#turn();
    this.#tell("signed-out");
    return false;
  }

  /** Try now: the network is back, the person came back to the page. */
  again() {
    return this.out ? this.identify().catch(() => false) : this.trouble && this.save();
  }

  /**
   * Who is signed in now? Goes on if it is who began here, with the session's own token; else all waits.
   * Resolves to whether it is. The token comes first: if another session begins between the two answers,
   * the token is not of that session, and it fits nothing. Throws Refusal where the server does not say.
   */
  async identify() {
    try {
      const token = await this.wire.freshToken();
      const told = await this.wire.who();
      if (told.user !== this.user) return this.#leave("stranger");
      this.wire.trust(token);
    } catch (error) {
      if (!isSignedOut(error)) throw error;
      return this.#leave("signed-out");
    }
    this.out = null;
    this.#turn();
    this.save();
    return true;
  }

  /** What others did since, {revision, state, changes, order?}; what is unsent here stays as it is. */
  receive({ revision, state, changes, order }) {
    const { free, isAll } = newsOf(changes, this.queue, this.isHeld);
    if (isAll) this.revision = Math.max(this.revision, revision);
    for (const { id, after } of free) this.queue.receive(id, after);
    if (free.length) this.store.receive(free);
    if (state && !this.store.asked) this.#accept(state);
    if (order && !this.queue.isOwn(ORDER)) this.store.arrange(order);
    if (free.length) this.#tell("received", { ids: free.map(({ id }) => id) });
  }

  /** The state as the server has it, in the place of one that was wished here. */
  #accept(state) {
    this.state = state;
    this.store.asked = null;
    this.store.accept({ state, annotations: [] }, {});
  }

  /** Asks once for what others did; resolves to the answer, and takes it unless a save came between. */
  async look() {
    const { requests } = this;
    const { data } = await this.wire.changes(this.revision, this.tab).catch((error) => {
      if (isSignedOut(error) && !this.out) this.#leave("signed-out");
      throw error;
    });
    const isOurs = () => !this.work && requests === this.requests && !this.isLoading;
    const set = data.changes === null && isOurs() ? (await this.wire.read()).data : null;
    this.#compare(data);
    const order = set?.annotations.map(({ id }) => id);
    if (isOurs()) this.receive(set ? { ...set, order, changes: changesTo(set.annotations, this.queue.known) } : data);
    return data;
  }

  #compare = ({ schema = this.schema }) => schema !== this.schema && this.#tell("schema", { schema });

  /** "mine", "theirs" or "both" for one box in conflict. */
  choose(id, choice) {
    const { theirs } = this.queue.clashes.get(id);
    this.store.receive(this.queue.choose(id, choice));
    if (choice === "mine" && theirs) this.store.revise([{ id, rev: theirs.rev }]);
    this.#turn();
    return this.save();
  }

  /** After "submitted": works on it again (a state of its own), or gives up what waits. */
  reopen() {
    this.halt = this.haltWords = null;
    this.queue.noteState("in_progress");
    return this.save();
  }

  forget() {
    this.halt = this.haltWords = null;
    this.store.receive(this.queue.forget());
    this.#turn();
  }

  /** Goes on with what a tab left behind that is gone. */
  adopt(snapshot) {
    this.store.receive(this.queue.restore(snapshot));
    this.#turn();
    return this.save();
  }
}
