// The label set as the editor knows it: classes by id. Names typed here become classes with the next save.

import { isTyped, typedId, typedName } from "./wire.js";

// As the server gives them out (app/domain/labels.py), in the same order.
export const PALETTE = [
  "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#ffffff", "#0000ee", "#0066ee",
  "#aa0022", "#cceeaa", "#444466", "#6600aa", "#cccc66", "#2288ee", "#cc00aa", "#0044ee", "#aaccaa", "#ee4466",
];
const DIGITS = "1234567890";
const UNNAMED = "#ffffff";
const GONE = "#bbbbbb";
// Until the list is read again.
const UNKNOWN = "…";

/** Event "change": the list, a class or the current one is another. */
export class Labels extends EventTarget {
  constructor(isOpen) {
    super();
    this.isOpen = isOpen;
    this.known = new Map();
    this.current = null;
  }

  /** The server's list; what was typed meanwhile stays until the server has it. */
  load(list) {
    const kept = [...this.known.values()].filter((label) => label.removed || isTyped(label.id));
    this.known = new Map([...list].sort((a, b) => a.order - b.order).map((label) => [label.id, { ...label, removed: Boolean(label.deprecated) }]));
    for (const label of kept) if (!this.known.has(this.#id(label.id))) this.known.set(label.id, label);
    const current = this.#id(this.current);
    this.current = this.known.has(current) ? current : this.list[0]?.id ?? null;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  /** What a typed name stands for, once the server has made a class of it. */
  #id(id) {
    return isTyped(id) ? this.byName(typedName(id))?.id ?? id : id;
  }

  /** The class of an id; null for none. */
  get(id) {
    return this.known.get(this.#id(id)) ?? null;
  }

  isSame(a, b) {
    return this.#id(a) === this.#id(b);
  }

  /** Those that a new annotation may have. */
  get list() {
    return [...this.known.values()].filter((label) => !label.removed);
  }

  get hasTyped() {
    return this.list.some((label) => isTyped(label.id));
  }

  name(id) {
    return id ? this.get(id)?.name ?? (isTyped(id) ? typedName(id) : UNKNOWN) : null;
  }

  colour(id) {
    return this.get(id)?.colour ?? UNNAMED;
  }

  /** [{name, kind, required, default, options…}] of app/domain/attribute_types.py. */
  attributes(id) {
    const told = this.get(id)?.attributes;
    return Array.isArray(told) ? told : [];
  }

  /** What a new annotation of this class begins with. */
  defaults(id) {
    return Object.fromEntries(this.attributes(id).filter((one) => one.default !== null && one.default !== undefined).map((one) => [one.name, one.default]));
  }

  byName(name) {
    return this.list.find((label) => label.name === name) ?? null;
  }

  byDigit(digit) {
    return this.list.find((label) => label.hotkey === digit)?.id ?? null;
  }

  choose(id) {
    this.current = this.#id(id);
    this.#tell();
  }

  /** The id for a name as typed: a known one is found, an unknown one becomes a label where the set is open. */
  learn(text) {
    const name = text.normalize("NFC").trim().replace(/\s+/g, " ");
    const found = name && this.byName(name);
    if (found) return found.id;
    if (!name || !this.isOpen) return null;
    const colours = this.list.map((label) => label.colour);
    const uses = (colour) => colours.filter((one) => one === colour).length;
    const colour = PALETTE.reduce((best, one) => (uses(one) < uses(best) ? one : best));
    const taken = this.list.map((label) => label.hotkey);
    const hotkey = [...DIGITS].find((digit) => !taken.includes(digit)) ?? null;
    const id = typedId(name);
    this.known.set(id, { id, name, colour, hotkey, order: this.known.size, attributes: [] });
    this.#tell();
    return id;
  }

  /** Annotations may have classes that were taken off the list; they show, and stay out of the digits. */
  meet(annotations) {
    let met = false;
    for (const { label_id: id, label: name } of annotations) {
      if (!id || this.known.has(id)) continue;
      this.known.set(id, { id, name, colour: GONE, hotkey: null, order: Infinity, attributes: [], removed: true });
      met = true;
    }
    if (met) this.#tell();
  }
}
