// The keyboard in the gallery: one picture is in the tab order, arrows carry the focus from there.

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

const centre = (box) => box.left + box.width / 2;

export class Cursor {
  constructor(root) {
    this.root = root;
    this.refresh();
    root.addEventListener("grown", () => this.refresh());
    root.addEventListener("focusin", ({ target }) => this.isLink(target) && this.#make(target));
  }

  isLink(node) {
    return node.matches?.(".tile-link, .col-name a");
  }

  get links() {
    return [...this.root.querySelectorAll(".tile:not([hidden]) .tile-link, tr:not([hidden]) .col-name a")];
  }

  /** Checks are reached by Space on their picture, so they leave the tab order. */
  refresh() {
    const links = this.links;
    const current = links.find((link) => link === this.current) ?? links[0];
    for (const link of links) link.tabIndex = link === current ? 0 : -1;
    for (const check of this.root.querySelectorAll(".tile-check input, .cell-check input")) check.tabIndex = -1;
    this.current = current;
  }

  #make(link) {
    if (this.current) this.current.tabIndex = -1;
    link.tabIndex = 0;
    this.current = link;
  }

  /** The link that `key` leads to from the current one, or undefined. */
  target(key) {
    const links = this.links;
    const at = links.indexOf(this.current);
    if (at < 0) return links[0];
    if (key in STEPS) return links[at + STEPS[key]];
    if (key === "Home") return links[0];
    if (key === "End") return links.at(-1);
    if (key === "ArrowDown") return this.#nearest(links.slice(at + 1));
    if (key === "ArrowUp") return this.#nearest(links.slice(0, at).reverse());
    return undefined;
  }

  /** In the first row beyond the current one, the picture whose middle is nearest. */
  #nearest(beyond) {
    const here = this.current.getBoundingClientRect();
    let row = null;
    let best;
    let distance = Infinity;
    for (const link of beyond) {
      const box = link.getBoundingClientRect();
      if (Math.abs(box.top - here.top) < 2) continue;
      row ??= box.top;
      if (Math.abs(box.top - row) >= 2) break;
      const off = Math.abs(centre(box) - centre(here));
      if (off < distance) [best, distance] = [link, off];
    }
    return best;
  }

  go(link) {
    if (!link) return;
    link.focus({ preventScroll: true });
    (link.closest(".tile, tr") ?? link).scrollIntoView({ block: "nearest" });
  }
}
