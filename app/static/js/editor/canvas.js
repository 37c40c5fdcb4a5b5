// The picture on the working surface: where it stands, zoom and pan; everything else follows its "change".

import { centred, fit, limited, toFrame, toPicture, zoomAt } from "../frame/viewport.js";

const MARGIN = 28;
const STEP = 1.3;
const SHARP_FROM = 3;
const LEAST = 0.02;
/** So that a picture of a few pixels can be worked on: one of them is as large as a finger needs, and more. */
const MOST = 64;

/** Event "change" {scale, x, y}: zoom and pan of the picture. */
export class Canvas extends EventTarget {
  constructor(root, picture) {
    super();
    this.root = root;
    this.picture = picture;
    this.images = [...root.querySelectorAll("img")];
    for (const { style } of this.images) {
      style.width = `${picture.w}px`;
      style.height = `${picture.h}px`;
    }
    this.measure();
    this.fit();
    new ResizeObserver(() => this.#resized()).observe(root);
  }

  /** Read once for each change of size, never during a drag: reading forces a layout. */
  measure() {
    const box = this.root.getBoundingClientRect();
    this.frame = { w: box.width, h: box.height };
    this.origin = { x: box.left, y: box.top };
  }

  #resized() {
    const middle = toPicture(this.view, { x: this.frame.w / 2, y: this.frame.h / 2 });
    const { fitted } = this;
    this.measure();
    if (fitted) return this.fit();
    const { scale } = this.view;
    return this.show({ scale, x: this.frame.w / 2 - middle.x * scale, y: this.frame.h / 2 - middle.y * scale });
  }

  /** Half of the surface at most is left without picture. */
  #loose(view) {
    const { w, h } = this.frame;
    const keep = (offset, size, room) => Math.min(room / 2, Math.max(room / 2 - size, offset));
    return { scale: view.scale, x: keep(view.x, this.picture.w * view.scale, w), y: keep(view.y, this.picture.h * view.scale, h) };
  }

  show(view) {
    this.view = this.#loose(view);
    this.fitted = false;
    const { scale, x, y } = this.view;
    const sharp = scale * devicePixelRatio >= SHARP_FROM;
    for (const image of this.images) {
      image.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
      image.classList.toggle("is-sharp", sharp);
    }
    this.dispatchEvent(new CustomEvent("change", { detail: this.view }));
  }

  /** Fills the surface, also with a small picture: a drag of a few pixels on the screen would be a click. */
  fit() {
    this.show(this.#whole());
    this.fitted = true;
  }

  #whole() {
    return fit(this.picture, this.frame, MARGIN, MOST);
  }

  actual() {
    this.show(centred(this.picture, this.frame, 1 / devicePixelRatio));
  }

  zoomTo(scale, point = { x: this.frame.w / 2, y: this.frame.h / 2 }) {
    // A picture that fits only when smaller still has to be reached by zooming out, too.
    this.show(zoomAt(this.view, point, limited(scale, Math.min(LEAST, this.#whole().scale), MOST)));
  }

  closer = () => this.zoomTo(this.view.scale * STEP);
  further = () => this.zoomTo(this.view.scale / STEP);
  pan = (dx, dy) => this.show({ ...this.view, x: this.view.x + dx, y: this.view.y + dy });

  /** A pointer event's place on the surface. */
  at(event) {
    return { x: event.clientX - this.origin.x, y: event.clientY - this.origin.y };
  }

  toPicture = (point) => toPicture(this.view, point);

  pointToFrame = (point) => toFrame(this.view, point);

  toFrame(box) {
    const { scale } = this.view;
    return { ...toFrame(this.view, box), w: box.w * scale, h: box.h * scale };
  }

  /** The point of the picture in the middle of the surface. */
  get middle() {
    return toPicture(this.view, { x: this.frame.w / 2, y: this.frame.h / 2 });
  }

  /** What is seen of the picture, in its pixels. */
  get seen() {
    const a = toPicture(this.view, { x: 0, y: 0 });
    const b = toPicture(this.view, { x: this.frame.w, y: this.frame.h });
    const x = Math.max(0, a.x);
    const y = Math.max(0, a.y);
    return { x, y, w: Math.min(this.picture.w, b.x) - x, h: Math.min(this.picture.h, b.y) - y };
  }
}
