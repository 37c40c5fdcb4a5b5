// Whether somebody is at the page. One that nobody touches stops asking, so that a session left alone still ends.

const PATIENCE = 10 * 60_000;
const SIGNS = ["pointermove", "pointerdown", "keydown", "wheel", "focus"];

export class Activity extends EventTarget {
  constructor(now = () => Date.now(), target = globalThis) {
    super();
    this.now = now;
    this.last = now();
    for (const name of SIGNS) target.addEventListener(name, () => this.#note(), { passive: true, capture: true });
  }

  /** Event "back": somebody is there again. */
  #note() {
    const wasIdle = this.isIdle;
    this.last = this.now();
    if (wasIdle) this.dispatchEvent(new Event("back"));
  }

  get isIdle() {
    return this.now() - this.last > PATIENCE;
  }
}

/** Of this page. */
export const activity = new Activity();
