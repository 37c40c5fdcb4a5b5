// The boxes of one picture, what is selected, and every step back and forth.

import { sameBox } from "./geometry.js";

// Steps of one kind on one box within this time are one step back: a held arrow key, a wheel of labels.
const TOGETHER = 800;
const DEEPEST = 500;

/** RFC 4122 version 4; crypto.randomUUID exists only on https and localhost. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const isSame = (a, b) => a === b || (a && b && a.label === b.label && sameBox(a.box, b.box) && a.attributes === b.attributes);

/**
 * Events: "item" {id} one box was added, changed or removed; "items" all may have changed;
 * "select" {id, before}; "state"; "edit" after each step that must be saved.
 */
export class Store extends EventTarget {
  constructor() {
    super();
    this.items = new Map();
    this.state = "new";
    this.asked = null;
    this.selected = null;
    this.edits = 0;
    this.#forget();
  }

  #forget() {
    this.past = [];
    this.future = [];
  }

  get(id) {
    return this.items.get(id) ?? null;
  }

  get chosen() {
    return this.get(this.selected);
  }

  get list() {
    return [...this.items.values()];
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  #edited() {
    this.edits += 1;
    this.#tell("edit");
  }

  /** Begins with a set from the server; nothing to undo, nothing to save. */
  load({ state, annotations }) {
    this.items = new Map(annotations.map((item) => [item.id, item]));
    this.state = state;
    this.#forget();
    this.select(null);
    this.#tell("items");
    this.#tell("state");
  }

  select(id) {
    const before = this.selected;
    this.selected = this.items.has(id) ? id : null;
    if (this.selected !== before) this.#tell("select", { id: this.selected, before });
  }

  /** The next (1) or previous (-1) box after the selected one, around. */
  step(by) {
    const ids = [...this.items.keys()];
    const at = ids.indexOf(this.selected);
    const from = at < 0 && by < 0 ? 0 : at;
    if (ids.length) this.select(ids[(from + by + ids.length) % ids.length]);
  }

  add(box, label, attributes = {}) {
    const item = { id: newId(), label, box, frame: 0, attributes };
    this.#commit([{ id: item.id, before: null, after: item }], "add");
    this.select(item.id);
    return item;
  }

  remove(id) {
    const before = this.get(id);
    if (before) this.#commit([{ id, before, after: null, at: [...this.items.keys()].indexOf(id) }], "remove");
  }

  /** Changes the box or the label of one item; `kind` names what may be undone together. */
  change(id, fields, kind = "change") {
    const before = this.get(id);
    const after = { ...before, ...fields };
    if (before && !isSame(before, after)) this.#commit([{ id, before, after }], kind);
  }

  /** Another set takes the place of this one, as one step that can be taken back. */
  replace({ state, annotations }) {
    const wanted = new Map(annotations.map((item) => [item.id, item]));
    const changes = [];
    for (const [id, before] of this.items) {
      if (!wanted.has(id)) changes.push({ id, before, after: null });
      else if (!isSame(before, wanted.get(id))) changes.push({ id, before, after: wanted.get(id) });
    }
    for (const [id, after] of wanted) if (!this.items.has(id)) changes.push({ id, before: null, after });
    this.asked = null;
    this.#setState(state);
    if (changes.length) this.#commit(changes, "replace");
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.#tell("state");
  }

  /** "done" and back to work; not part of undo, it is one key to turn it back. */
  mark(state) {
    if (this.state === state) return;
    this.asked = state;
    this.#setState(state);
    this.#edited();
  }

  #commit(changes, kind) {
    const now = performance.now();
    const last = this.past.at(-1);
    const joins = last && kind === last.kind && kind !== "add" && kind !== "remove" && kind !== "replace"
      && changes.length === 1 && last.changes.length === 1 && last.changes[0].id === changes[0].id && now - last.time < TOGETHER;
    if (joins) {
      last.changes[0].after = changes[0].after;
      last.time = now;
    } else {
      this.past.push({ changes, kind, time: now });
      if (this.past.length > DEEPEST) this.past.shift();
    }
    this.future = [];
    this.#apply(changes.map(({ id, after, at }) => [id, after, at]));
  }

  /** Puts items in place; a box that comes back stands where it stood. */
  #apply(pairs) {
    for (const [id, item, at] of pairs) {
      if (item === null) this.items.delete(id);
      else if (this.items.has(id) || at === undefined) this.items.set(id, item);
      else {
        const all = [...this.items];
        all.splice(at, 0, [id, item]);
        this.items = new Map(all);
      }
    }
    if (pairs.length === 1) this.#tell("item", { id: pairs[0][0] });
    else this.#tell("items");
    if (this.selected && !this.items.has(this.selected)) this.select(null);
    this.#edited();
  }

  get canUndo() {
    return this.past.length > 0;
  }

  get canRedo() {
    return this.future.length > 0;
  }

  undo() {
    const step = this.past.pop();
    if (!step) return;
    this.future.push(step);
    this.#apply(step.changes.map(({ id, before, at }) => [id, before, at]));
    if (step.changes.length === 1) this.select(step.changes[0].id);
  }

  redo() {
    const step = this.future.pop();
    if (!step) return;
    this.past.push({ ...step, time: 0 });
    this.#apply(step.changes.map(({ id, after }) => [id, after]));
    if (step.changes.length === 1) this.select(step.changes[0].id);
  }

  /** What is sent: boxes without a label wait for one; a state only if the person chose it (else the
      server moves "new" on to "in_progress" by itself). */
  document() {
    const annotations = this.list.filter((item) => item.label);
    return this.asked ? { state: this.asked, annotations } : { annotations };
  }

  get waiting() {
    return this.list.filter((item) => !item.label).length;
  }

  /** After a save: revisions and state as the server has them; what was edited meanwhile stays. */
  accept({ state, annotations }, sent) {
    for (const { id, rev } of annotations) {
      const item = this.items.get(id);
      if (item) item.rev = rev;
    }
    if (this.asked !== (sent.state ?? null)) return;
    this.asked = null;
    this.#setState(state);
  }
}
