// The whole picture, small, with what is seen of it; there while one looks closer than the whole.

import { shape } from "../frame/dom.js";

const LONGEST = { wide: 168, narrow: 112 };
const NARROW = 600;

export class Minimap {
  constructor(root, canvas) {
    Object.assign(this, { root, canvas });
    const { w, h } = canvas.picture;
    this.scale = (innerWidth < NARROW ? LONGEST.narrow : LONGEST.wide) / Math.max(w, h);
    Object.assign(root.style, { width: `${w * this.scale}px`, height: `${h * this.scale}px` });
    this.seen = shape("rect", { class: "seen" });
    root.querySelector("svg").append(this.seen);
    canvas.addEventListener("change", () => this.#show());
    for (const name of ["pointerdown", "pointermove"]) root.addEventListener(name, (event) => this.#go(event));
    this.#show();
  }

  #show() {
    const { picture, frame, view } = this.canvas;
    const whole = picture.w * view.scale <= frame.w * 1.02 && picture.h * view.scale <= frame.h * 1.02;
    if (this.root.hidden !== whole) this.root.hidden = whole;
    if (whole) return;
    const { x, y, w, h } = this.canvas.seen;
    for (const [name, value] of Object.entries({ x, y, width: w, height: h })) this.seen.setAttribute(name, Math.max(0, value * this.scale));
  }

  /** A press or a drag puts that place in the middle of the surface. */
  #go(event) {
    event.stopPropagation();
    if (event.type === "pointermove" && !event.buttons) return;
    if (event.type === "pointerdown") {
      this.root.setPointerCapture(event.pointerId);
      this.origin = this.root.getBoundingClientRect();
    }
    const { frame, view } = this.canvas;
    const [x, y] = [(event.clientX - this.origin.left) / this.scale, (event.clientY - this.origin.top) / this.scale];
    this.canvas.show({ scale: view.scale, x: frame.w / 2 - x * view.scale, y: frame.h / 2 - y * view.scale });
  }
}
