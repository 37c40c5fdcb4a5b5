// The label set as the editor knows it: name, colour, digit. Names typed here become labels with the next save.

// Twenty that stay apart for colour-blind eyes, as the server gives them out, in the same order.
export const PALETTE = [
  "#e69f00", "#56b4e9", "#009e73", "#f0e442", "#0072b2", "#d55e00", "#cc79a7", "#ffffff", "#882255", "#44aa99",
  "#ddcc77", "#332288", "#cc6677", "#88ccee", "#117733", "#aa4499", "#999933", "#bbbbbb", "#661100", "#aaff80",
];
const DIGITS = "1234567890";
const UNNAMED = "#ffffff";

export class Labels extends EventTarget {
  constructor(isOpen) {
    super();
    this.isOpen = isOpen;
    this.known = new Map();
    this.current = null;
  }

  /** The server's list; what was typed meanwhile stays until the server has it. */
  load(list) {
    const typed = [...this.known.values()].filter((label) => !label.id);
    this.known = new Map([...list].sort((a, b) => a.order - b.order).map((label) => [label.name, label]));
    for (const label of typed) if (!this.known.has(label.name)) this.known.set(label.name, label);
    if (!this.known.has(this.current)) this.current = this.known.keys().next().value ?? null;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event("change"));
  }

  get list() {
    return [...this.known.values()];
  }

  get hasTyped() {
    return this.list.some((label) => !label.id);
  }

  colour(name) {
    return this.known.get(name)?.colour ?? UNNAMED;
  }

  byDigit(digit) {
    return this.list.find((label) => label.hotkey === digit)?.name ?? null;
  }

  choose(name) {
    this.current = name;
    this.#tell();
  }

  /** A name as typed: a known one is found, an unknown one becomes a label where the set is open. */
  learn(text) {
    const name = text.normalize("NFC").trim().replace(/\s+/g, " ");
    if (!name || this.known.has(name)) return name || null;
    if (!this.isOpen) return null;
    const colours = this.list.map((label) => label.colour);
    const uses = (colour) => colours.filter((one) => one === colour).length;
    const colour = PALETTE.reduce((best, one) => (uses(one) < uses(best) ? one : best));
    const taken = this.list.map((label) => label.hotkey);
    const hotkey = [...DIGITS].find((digit) => !taken.includes(digit)) ?? null;
    this.known.set(name, { name, colour, hotkey, order: this.known.size });
    this.#tell();
    return name;
  }

  /** Boxes may have labels that were taken off the list; they show, and stay out of the digits. */
  meet(names) {
    for (const name of names) {
      if (name && !this.known.has(name)) this.known.set(name, { id: "removed", name, colour: "#bbbbbb", hotkey: null, order: Infinity });
    }
  }
}
