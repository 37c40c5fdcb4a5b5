// The picture in its frame: fitted, actual size, anything between; dragged, wheeled, pinched.

import { Fingers } from "../frame/fingers.js";
import { centred, fit, held, limited, wheelFactor, zoomAt } from "../frame/viewport.js";

const STEP = 1.4;
const SHARP_FROM = 4;

export class Zoom extends EventTarget {
  constructor(stage) {
    super();
    this.stage = stage;
    this.images = [...stage.querySelectorAll("img")];
    this.picture = { w: Number(stage.dataset.w), h: Number(stage.dataset.h) };
    this.fitted = true;
    this.layOut();
    new ResizeObserver(() => this.layOut()).observe(stage);
    this.#listen();
  }

  get frame() {
    return { w: this.stage.clientWidth, h: this.stage.clientHeight };
  }

  get least() {
    return fit(this.picture, this.frame).scale;
  }

  /** Screens with more than one dot a pixel show one pixel on one dot. */
  get actual() {
    return 1 / devicePixelRatio;
  }

  layOut() {
    this.show(this.fitted ? fit(this.picture, this.frame) : this.view);
  }

  show(view) {
    this.view = held(view, this.picture, this.frame);
    this.fitted = this.view.scale <= this.least * 1.001;
    const { scale, x, y } = this.view;
    for (const { style } of this.images) {
      style.width = `${this.picture.w}px`;
      style.height = `${this.picture.h}px`;
      style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
    }
    this.stage.dataset.fitted = "1";
    this.stage.toggleAttribute("data-zoomed", !this.fitted);
    this.images.at(-1).classList.toggle("is-sharp", scale * devicePixelRatio >= SHARP_FROM);
    this.dispatchEvent(new CustomEvent("change", { detail: this.view }));
  }

  zoomTo(scale, point = { x: this.frame.w / 2, y: this.frame.h / 2 }) {
    this.show(zoomAt(this.view, point, limited(scale, this.least)));
  }

  closer = () => this.zoomTo(this.view.scale * STEP);
  further = () => this.zoomTo(this.view.scale / STEP);

  /** Between the whole picture and its actual size. */
  toggle(point) {
    if (!this.fitted) this.show(fit(this.picture, this.frame));
    else if (point) this.zoomTo(Math.max(this.actual, this.least * 2), point);
    else this.show(centred(this.picture, this.frame, Math.max(this.actual, this.least)));
  }

  #at(event) {
    const box = this.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #listen() {
    const { stage } = this;
    const fingers = new Fingers(stage, ({ from, point, factor }) => {
      const view = zoomAt(this.view, from, limited(this.view.scale * factor, this.least));
      this.show({ ...view, x: view.x + point.x - from.x, y: view.y + point.y - from.y });
    });
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomTo(this.view.scale * wheelFactor(event), this.#at(event));
    }, { passive: false });
    stage.addEventListener("dblclick", (event) => this.toggle(this.#at(event)));
    stage.addEventListener("pointerdown", (event) => event.button === 0 && stage.setPointerCapture(event.pointerId));
    stage.addEventListener("pointermove", (event) => {
      if (this.fitted || fingers.count > 1 || !(event.buttons & 1)) return;
      this.show({ ...this.view, x: this.view.x + event.movementX, y: this.view.y + event.movementY });
    });
  }
}
