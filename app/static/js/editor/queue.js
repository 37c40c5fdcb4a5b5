// What was changed here and is not on the server yet. Pure: no clock, no network, no store.

import { sameItem } from "./merge.js";
import { operationOf } from "./queue_wire.js";

/** The most operations of one request. */
export const MOST = 500;
export const ORDER = "order";

/**
 * Entries are {op, id, base, after, words?}: `op` is the operation's id, `base` the item as the server
 * has it ({…, rev}; null: it does not have it), `after` as it is wanted (null: gone). `words` says why
 * the server refused it; it waits for another edit then. For the order: {op, id: ORDER, ids}.
 *
 * An annotation has at most one entry that waits, and at most one in flight. Edits of one that waits
 * join; what is in flight stays as it was sent, so that sending it again is the same request.
 */
export class OpQueue {
  constructor(newId) {
    this.newId = newId;
    this.begin([]);
  }

  /** From a set of the server: nothing waits. */
  begin(items) {
    this.known = new Map(items.map((item) => [item.id, item]));
    this.waiting = new Map();
    this.flight = null;
    this.clashes = new Map();
    this.state = null;
  }

  #flying(id) {
    return this.flight?.entries.find((entry) => entry.id === id) ?? null;
  }

  /** Whether somebody else's change of this one must wait for what is unsent here. */
  isOwn(id) {
    return this.waiting.has(id) || this.clashes.has(id) || this.#flying(id) !== null;
  }

  /** One committed change: item `id` is wanted as `after` (null: gone, or without label). */
  note(id, after) {
    const clash = this.clashes.get(id);
    if (clash) return void (clash.mine = after);
    const entry = this.waiting.get(id) ?? this.#fresh(id);
    entry.after = after;
    delete entry.words;
    this.#rename(entry);
    if (sameItem(entry.base, after)) this.waiting.delete(id);
    else this.waiting.set(id, entry);
  }

  /** What was sent once may have been done unheard: other contents need another operation's id. */
  #rename(entry) {
    if (entry.sent) Object.assign(entry, { op: this.newId(), sent: false });
  }

  #fresh(id) {
    const flying = this.#flying(id);
    return { op: this.newId(), id, base: flying ? flying.after : this.known.get(id) ?? null };
  }

  /** An "op" of the store. */
  noteOp({ kind, id, after, ids }) {
    if (kind === "order") this.noteOrder(ids);
    else this.note(id, after);
  }

  noteOrder(ids) {
    this.waiting.set(ORDER, { op: this.newId(), id: ORDER, ids: [...ids] });
  }

  noteState(state) {
    if (this.flight?.state !== state) this.state = state;
  }

  get refused() {
    return [...this.waiting.values()].filter((entry) => entry.words);
  }

  /** How many changes the server has not confirmed: in flight, waiting, refused, in conflict. */
  get count() {
    const state = this.state || this.flight?.state ? 1 : 0;
    return this.waiting.size + (this.flight?.entries.length ?? 0) + this.clashes.size + state;
  }

  /** Whether there is something that can be sent now. */
  get isReady() {
    if (this.flight || this.state) return true;
    return [...this.waiting.values()].some((entry) => !entry.words);
  }

  /** The next request {ops, state?}, the same again until it is answered; null for nothing. `most`: so many. */
  take(most = MOST) {
    if (!this.flight && this.isReady) this.#load(most);
    if (!this.flight) return null;
    const { entries, state } = this.flight;
    return { ops: entries.map(operationOf), ...(state ? { state } : {}) };
  }

  #load(most) {
    const entries = [...this.waiting.values()].filter((entry) => !entry.words).slice(0, most);
    for (const entry of entries) {
      this.waiting.delete(entry.id);
      entry.sent = true;
    }
    const isAll = ![...this.waiting.values()].some((entry) => !entry.words);
    this.flight = { entries, state: isAll ? this.state : null };
    if (isAll) this.state = null;
  }

  /** The server did these of the flight: [{op_id, id, rev}]. Returns [{id, rev}] of what there is. */
  confirm(applied) {
    const flight = this.#land();
    const done = new Map(applied.map((one) => [one.op_id, one]));
    const revised = [];
    for (const entry of flight.entries) {
      if (!done.has(entry.op)) this.#back(entry);
      else if (entry.id !== ORDER) revised.push(...this.#settled(entry, done.get(entry.op).rev));
    }
    return revised;
  }

  #land() {
    const flight = this.flight ?? { entries: [], state: null };
    this.flight = null;
    return flight;
  }

  #settled(entry, rev) {
    const { id, after } = entry;
    if (after) this.known.set(id, { ...after, rev });
    else this.known.delete(id);
    this.#rebase(id, this.known.get(id) ?? null);
    return after ? [{ id, rev }] : [];
  }

  #rebase(id, base) {
    const next = this.waiting.get(id);
    if (!next || id === ORDER) return;
    next.base = base;
    if (sameItem(base, next.after)) this.waiting.delete(id);
  }

  /** What was not done waits again, under what was edited since. */
  #back(entry, words) {
    const newer = this.waiting.get(entry.id);
    if (newer) {
      if (entry.id !== ORDER) newer.base = entry.base;
      return;
    }
    if (words) this.waiting.set(entry.id, { ...entry, words });
    else this.waiting = new Map([[entry.id, entry], ...this.waiting]);
  }

  /**
   * The flight was answered with conflicts [{id, base, mine, theirs}] and `applied`; returns {revised,
   * settled: [{id, after}]}: where both wanted the same there is nothing to ask.
   */
  clash(applied, conflicts) {
    const flown = new Map((this.flight?.entries ?? []).map((entry) => [entry.id, entry]));
    const revised = this.confirm(applied);
    const settled = [];
    for (const { id, base, theirs } of conflicts) {
      const entry = this.waiting.get(id) ?? flown.get(id);
      this.waiting.delete(id);
      if (theirs) this.known.set(id, theirs);
      else this.known.delete(id);
      const mine = entry?.after ?? null;
      if (sameItem(mine, theirs)) settled.push({ id, after: theirs });
      else this.clashes.set(id, { id, base: base ?? flown.get(id)?.base ?? null, mine, theirs });
    }
    return { revised, settled };
  }

  /** The flight was refused for its operation at `place` (null: not told which); nothing of it was done. */
  refuse(place, words) {
    const { entries, state } = this.#land();
    this.state ??= state;
    [...entries.entries()].reverse().forEach(([at, entry]) => this.#back(entry, at === place || entries.length === 1 ? words : undefined));
  }

  /** The flight was refused as a whole, and nothing of it was done: all of it waits again. */
  unload() {
    const { entries, state } = this.#land();
    this.state ??= state;
    for (const entry of [...entries].reverse()) this.#back(entry);
  }

  /** "mine", "theirs" or "both" for one conflict; returns [{id, after}] for the page to show. */
  choose(id, choice) {
    const { mine, theirs } = this.clashes.get(id);
    this.clashes.delete(id);
    if (choice === "theirs") return [{ id, after: theirs }];
    if (choice === "mine") {
      this.note(id, mine);
      return [];
    }
    const twin = { ...mine, id: this.newId(), rev: null };
    this.note(twin.id, twin);
    return [{ id, after: theirs }, { id: twin.id, after: twin }];
  }

  /** Somebody else's change; false where own unsent work on it must be settled first. */
  receive(id, after) {
    if (this.isOwn(id)) return false;
    if (after) this.known.set(id, after);
    else this.known.delete(id);
    return true;
  }

  /** Gives up what waits; returns [{id, after}]: the server's side of everything touched. */
  forget() {
    const ids = new Set([...this.waiting.keys(), ...this.clashes.keys(), ...(this.flight?.entries ?? []).map(({ id }) => id)]);
    ids.delete(ORDER);
    this.begin([...this.known.values()]);
    return [...ids].map((id) => ({ id, after: this.known.get(id) ?? null }));
  }

  /** For keeping it over a restart; null when nothing waits. */
  snapshot() {
    if (!this.count) return null;
    const clashed = [...this.clashes.values()].map(({ id, base, mine }) => ({ op: this.newId(), id, base, after: mine }));
    return structuredClone({ flight: this.flight, waiting: [...this.waiting.values(), ...clashed], state: this.state });
  }

  /** Goes on with a snapshot; returns [{id, after}] for the page to show. Only where nothing waits. */
  restore({ flight, waiting, state }) {
    this.flight = flight;
    this.waiting = new Map(waiting.map((entry) => [entry.id, entry]));
    this.state = state;
    const shown = new Map([...(flight?.entries ?? []), ...waiting].map(({ id, after }) => [id, after]));
    shown.delete(ORDER);
    return [...shown].map(([id, after]) => ({ id, after }));
  }
}
