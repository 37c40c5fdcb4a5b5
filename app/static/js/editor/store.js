// The annotations of one picture, what is selected, and every step back and forth.

import { sameBox } from "./geometry.js";
import { arranged } from "./merge.js";
import { Steps } from "./steps.js";
import { annotationOf, itemOf } from "./wire.js";

/** RFC 4122 version 4; crypto.randomUUID exists only on https and localhost. */
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const sameJson = (a, b) => a === b || JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Whether two items say the same; their revisions do not matter. */
export function isSame(a, b) {
  if (!a || !b) return !a && !b;
  return a.label === b.label && sameBox(a.box, b.box) && sameJson(a.shape, b.shape) && sameJson(a.attributes, b.attributes);
}

/** An item without a label is not told to the server: for an op it is not there yet. */
function opOf({ id, before, after }, rev) {
  const [was, is] = [before, after].map((item) => (item?.label ? item : null));
  if (!was && !is) return null;
  return { kind: was ? (is ? "update" : "delete") : "add", id, rev, before: was, after: is };
}

/**
 * Items are {id, rev, label, box, shape?, attributes, frame} as in wire.js; treated as unchangeable.
 * Events: "item" {id} one was added, changed or removed; "items" all may have changed;
 * "met" {annotations} as the API told them, before they are items; "select" {id, before}; "state"; "edit" after each step that must be saved; and for each committed
 * change, an undo and a redo too, "op" {op: {kind, id, rev, before, after}}: kind is add, update or
 * delete, before and after are items (null where there is none), rev is the server's revision of the
 * item, null if it never had one; or "op" {op: {kind: "order", id: null, rev: null, ids, before}}.
 */
export class Store extends EventTarget {
  constructor() {
    super();
    this.items = new Map();
    this.revs = new Map();
    this.steps = new Steps();
    this.state = "new";
    this.asked = null;
    this.selected = null;
    this.edits = 0;
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

  get ids() {
    return [...this.items.keys()];
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
    this.#tell("met", { annotations });
    this.items = new Map(annotations.map((one) => [one.id, itemOf(one)]));
    this.revs = new Map(annotations.map(({ id, rev }) => [id, rev ?? null]));
    this.state = state;
    this.steps.forget();
    this.select(null);
    this.#tell("items");
    this.#tell("state");
  }

  select(id) {
    const before = this.selected;
    this.selected = this.items.has(id) ? id : null;
    if (this.selected !== before) this.#tell("select", { id: this.selected, before });
  }

  /** The next (1) or previous (-1) after the selected one, around; `fits(item)` says which count. */
  step(by, fits = () => true) {
    const ids = this.ids.filter((id) => id === this.selected || fits(this.get(id)));
    const at = ids.indexOf(this.selected);
    const from = at < 0 && by < 0 ? 0 : at;
    if (ids.length) this.select(ids[(from + by + ids.length) % ids.length]);
  }

  add(box, label, attributes = {}, shape = undefined) {
    const [item] = this.addAll([{ box, label, attributes, ...(shape ? { shape } : {}) }], "add");
    this.select(item.id);
    return item;
  }

  /** Several new ones as one step: [{box, shape?, label, attributes}]; the items made. */
  addAll(list, kind = "paste") {
    const items = list.map((one) => ({ frame: 0, attributes: {}, ...one, id: newId() }));
    if (items.length) this.#commit(items.map((after) => ({ id: after.id, before: null, after })), kind);
    return items;
  }

  remove(id) {
    const before = this.get(id);
    if (before) this.#commit([{ id, before, after: null, at: this.ids.indexOf(id) }], "remove");
  }

  /** Changes fields of one item; `kind` names what may be undone together. */
  change(id, fields, kind = "change") {
    const before = this.get(id);
    if (!before) return;
    const after = { ...before, ...fields };
    if (!after.shape) delete after.shape;
    if (!isSame(before, after)) this.#commit([{ id, before, after }], kind);
  }

  /** Another order from the back to the front; `ids` are those of all items. */
  reorder(ids) {
    const before = this.ids;
    if (ids.length !== before.length || ids.every((id, place) => id === before[place])) return;
    this.#commit([], "order", { before, after: ids });
  }

  /** Another set takes the place of this one, as one step that can be taken back. */
  replace({ state, annotations }) {
    this.#tell("met", { annotations });
    const wanted = new Map(annotations.map((one) => [one.id, itemOf(one)]));
    const changes = [];
    for (const [id, before] of this.items) {
      const after = wanted.get(id) ?? null;
      if (!isSame(before, after)) changes.push({ id, before, after });
    }
    for (const [id, after] of wanted) if (!this.items.has(id)) changes.push({ id, before: null, after });
    this.asked = null;
    this.#setState(state);
    if (changes.length) this.#commit(changes, "replace");
  }

  /** What others did, as [{id, after: annotation or null}]: not a step, not an op, not an edit. */
  receive(changes) {
    this.#tell("met", { annotations: changes.map(({ after }) => after).filter(Boolean) });
    for (const { id, after } of changes) {
      if (after) this.items.set(id, itemOf(after));
      else this.items.delete(id);
      if (after) this.revs.set(id, after.rev);
    }
    this.steps.forgetAbout(changes.map(({ id }) => id));
    this.#changed(changes.map(({ id }) => id));
  }

  /** Another order that others gave: not a step, not an op, not an edit. */
  arrange(ids) {
    const items = arranged(this.items, ids);
    if ([...items.keys()].join() === this.ids.join()) return;
    this.items = items;
    this.#tell("items");
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

  #commit(changes, kind, order = null) {
    this.steps.push({ kind, changes, order, time: performance.now() });
    this.#apply(changes, order && { before: order.before, ids: order.after });
  }

  /** Puts items in place; one that comes back stands where it stood. */
  #apply(changes, order) {
    for (const { id, after, at } of changes) {
      if (after === null) this.items.delete(id);
      else this.#put(id, { ...after, rev: this.revs.get(id) }, at);
    }
    if (order) this.items = arranged(this.items, order.ids); // what others added since stays
    this.#changed(order ? [] : changes.map(({ id }) => id));
    for (const change of changes) this.#tellOp(opOf(change, this.revs.get(change.id) ?? null));
    // The server puts what is new at the end; what came back elsewhere is told with the order.
    const isBack = changes.some(({ id, after, at }) => after && at !== undefined && id !== this.ids.at(-1));
    if (order || isBack) this.#tellOp({ kind: "order", id: null, rev: null, ids: this.ids, before: order?.before ?? this.ids });
    this.#edited();
  }

  #put(id, item, at) {
    if (this.items.has(id) || at === undefined) return this.items.set(id, item);
    const all = [...this.items];
    all.splice(at, 0, [id, item]);
    return (this.items = new Map(all));
  }

  #changed(ids) {
    if (ids.length === 1) this.#tell("item", { id: ids[0] });
    else this.#tell("items");
    if (this.selected && !this.items.has(this.selected)) this.select(null);
  }

  #tellOp(op) {
    if (op) this.#tell("op", { op });
  }

  get canUndo() {
    return this.steps.past.length > 0;
  }

  get canRedo() {
    return this.steps.future.length > 0;
  }

  undo() {
    this.#walk(this.steps.back(), ({ id, before, after, at }) => ({ id, before: after, after: before, at }), true);
  }

  redo() {
    this.#walk(this.steps.forth(), ({ id, before, after }) => ({ id, before, after }), false);
  }

  #walk(step, turn, back) {
    if (!step) return;
    const { order } = step;
    this.#apply(step.changes.map(turn), order && { before: this.ids, ids: back ? order.before : order.after });
    if (step.changes.length === 1) this.select(step.changes[0].id);
  }

  /** What is sent: items without a label wait for one; a state only if the person chose it (else the
      server moves "new" on to "in_progress" by itself). */
  document() {
    const annotations = this.list.filter((item) => item.label).map(annotationOf);
    return this.asked ? { state: this.asked, annotations } : { annotations };
  }

  get waiting() {
    return this.list.filter((item) => !item.label).length;
  }

  /** The server's revisions of items, as [{id, rev}]. */
  revise(revisions) {
    for (const { id, rev } of revisions) {
      this.revs.set(id, rev);
      const item = this.items.get(id);
      if (item) this.items.set(id, { ...item, rev });
    }
  }

  /** After a save: revisions and state as the server has them; what was edited meanwhile stays. */
  accept({ state, annotations }, sent) {
    this.revise(annotations);
    if (this.asked !== (sent.state ?? null)) return;
    this.asked = null;
    this.#setState(state);
  }
}
