// The names of what is marked, on a plain canvas: text in SVG is laid out anew with every step of a zoom.
// Each name is drawn once and copied from then on, so that names stand sharp while the view moves too.

import { kindOf } from "./shapes.js";

const SIZE = 12;
const RIM = 3;
/** From the corner of a box to that of what is copied: its name begins 5 px to the right, 6 px above. */
const LEFT = 5 - RIM;
const TOP = -6 - SIZE - RIM;
const FILL = "#fff";
const EDGE = "rgb(0 0 0 / 78%)";
/** The sheet reaches so far beyond the surface at each side (boxes.css), and is moved so far before it is drawn anew. */
const BEYOND = 96;
const LONGEST = 400;
const REST = 120;
/** So many names take longer than a third of a frame; of more, those are drawn that do not lie on another. */
const CROWD = 300;
const CELL = 8;

/** Which parts of the sheet have a name already, in cells. */
class Room {
  constructor({ w, h }) {
    this.across = Math.ceil(w / CELL) + 1;
    this.down = Math.ceil(h / CELL) + 1;
    this.taken = new Uint8Array(this.across * this.down);
  }

  /** Takes what a name at x, y covers; false where there is one. What is cut off by the sheet's sides counts as far as it is seen. */
  take(x, y, w, h) {
    const [left, right] = [Math.max(0, Math.floor(x / CELL)), Math.min(this.across, Math.ceil((x + w) / CELL))];
    const [top, bottom] = [Math.max(0, Math.floor(y / CELL)), Math.min(this.down, Math.ceil((y + h) / CELL))];
    for (let row = top; row < bottom; row += 1) {
      const start = row * this.across;
      if (this.taken.subarray(start + left, start + Math.max(left, right)).includes(1)) return false;
    }
    for (let row = top; row < bottom; row += 1) this.taken.fill(1, row * this.across + left, row * this.across + Math.max(left, right));
    return true;
  }
}

export class Names {
  /** `wanted(id)` says whether the name of an item is shown now, `inHand(id)` whether before all others. */
  constructor(sheet, { canvas, store, labels, wanted, inHand }) {
    Object.assign(this, { sheet, canvas, store, labels, wanted, inHand });
    this.brush = sheet.getContext("2d");
    this.font = `600 ${SIZE}px ${getComputedStyle(sheet).fontFamily}`;
    this.stamps = new Map();
    this.due = this.drawn = null;
    canvas.addEventListener("change", ({ detail }) => this.#follow(detail));
  }

  /** A pan moves the sheet as it is, a zoom of a crowd too; it is drawn where that does not do, and once the view rests. */
  #follow({ scale, x, y }) {
    if (!this.drawn || this.due) return this.soon();
    const by = scale / this.drawn.scale;
    const [dx, dy] = [x - this.drawn.x * by, y - this.drawn.y * by];
    const { w, h } = this.canvas.frame;
    const beyond = [dx, dy, dx + w * (by - 1), dy + h * (by - 1)].some((one) => Math.abs(one) > BEYOND);
    if (beyond || (by !== 1 && this.count < CROWD)) return this.soon();
    this.sheet.style.transform = `translate(${dx}px, ${dy}px) scale(${by})`;
    clearTimeout(this.rest);
    this.rest = setTimeout(() => this.soon(), REST);
    return undefined;
  }

  /** With the next frame, however often it is asked for. */
  soon() {
    clearTimeout(this.rest);
    this.due ??= requestAnimationFrame(() => {
      this.due = null;
      this.#draw();
    });
  }

  /** A canvas takes its time when it is given a size, the same one too. */
  #fit() {
    const [w, h] = [this.canvas.frame.w + 2 * BEYOND, this.canvas.frame.h + 2 * BEYOND];
    const [width, height] = [Math.round(w * devicePixelRatio), Math.round(h * devicePixelRatio)];
    if (this.sheet.width === width && this.sheet.height === height) return this.brush.clearRect(0, 0, width, height);
    if (this.ratio !== devicePixelRatio) this.stamps.clear();
    this.ratio = devicePixelRatio;
    Object.assign(this.sheet.style, { width: `${w}px`, height: `${h}px` });
    return Object.assign(this.sheet, { width, height });
  }

  #stamp(words) {
    const known = this.stamps.get(words);
    if (known) return known;
    const made = document.createElement("canvas");
    const brush = made.getContext("2d");
    brush.font = this.font;
    made.width = Math.ceil((brush.measureText(words).width + 2 * RIM) * devicePixelRatio);
    made.height = Math.ceil(2 * SIZE * devicePixelRatio);
    brush.scale(devicePixelRatio, devicePixelRatio);
    Object.assign(brush, { font: this.font, fillStyle: FILL, strokeStyle: EDGE, lineWidth: RIM, lineJoin: "round" });
    brush.strokeText(words, RIM, SIZE + RIM);
    brush.fillText(words, RIM, SIZE + RIM);
    this.stamps.set(words, made);
    return made;
  }

  #draw() {
    this.#fit();
    this.sheet.style.transform = "";
    this.drawn = this.canvas.view;
    const shown = this.#inSight();
    this.count = shown.length;
    for (const one of this.isCrowded ? this.#apart(shown) : shown) {
      // On whole pixels of the screen, where a copy stays as sharp as it was drawn.
      this.brush.drawImage(one.stamp, Math.round((one.x + LEFT) * devicePixelRatio), Math.round((one.y + TOP) * devicePixelRatio));
    }
  }

  /** [{id, stamp, x, y}], the corners of the boxes on the sheet. */
  #inSight() {
    const { view, frame } = this.canvas;
    const [right, bottom] = [frame.w + 2 * BEYOND, frame.h + 3 * BEYOND];
    const shown = [];
    for (const item of this.store.items.values()) {
      const x = item.box.x * view.scale + view.x + BEYOND;
      const y = item.box.y * view.scale + view.y + BEYOND;
      if (x < -LONGEST || x > right || y < 0 || y > bottom || kindOf(item) === "image" || !this.wanted(item.id)) continue;
      shown.push({ id: item.id, x, y, stamp: this.#stamp(this.labels.name(item.label) ?? "no label") });
    }
    return shown;
  }

  get isCrowded() {
    return this.count > CROWD;
  }

  /** What is in hand, then the others from the back to the front, as long as none lies on another. */
  #apart(shown) {
    const { frame } = this.canvas;
    const room = new Room({ w: frame.w + 2 * BEYOND, h: frame.h + 2 * BEYOND });
    const isFree = ({ x, y, stamp }) => room.take(x + LEFT, y + TOP + RIM, stamp.width / devicePixelRatio, SIZE);
    const first = shown.filter(({ id }) => this.inHand(id));
    return [...first, ...shown.filter(({ id }) => !this.inHand(id))].filter(isFree);
  }
}
