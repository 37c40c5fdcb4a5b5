// What can be taken back and done again: steps of one or more changes, the last ones first.

// Steps of one kind on one annotation within this time are one step back: a held arrow key, a wheel of labels.
const TOGETHER = 800;
const DEEPEST = 500;
const ALONE = new Set(["add", "remove", "replace", "order", "paste"]);

/** A step is {kind, changes: [{id, before, after, at?}], order?: {before, after}, time}. */
export class Steps {
  constructor() {
    this.forget();
  }

  forget() {
    this.past = [];
    this.future = [];
  }

  #joins(step) {
    const last = this.past.at(-1);
    if (!last || last.kind !== step.kind || ALONE.has(step.kind) || step.time - last.time >= TOGETHER) return false;
    return step.changes.length === 1 && last.changes.length === 1 && last.changes[0].id === step.changes[0].id;
  }

  push(step) {
    this.future = [];
    if (this.#joins(step)) {
      const last = this.past.at(-1);
      last.changes[0].after = step.changes[0].after;
      last.time = step.time;
      return;
    }
    this.past.push(step);
    if (this.past.length > DEEPEST) this.past.shift();
  }

  /** The step to take back; null if there is none. */
  back() {
    const step = this.past.pop() ?? null;
    if (step) this.future.push(step);
    return step;
  }

  forth() {
    const step = this.future.pop() ?? null;
    if (step) this.past.push({ ...step, time: -Infinity });
    return step;
  }

  /** What a colleague changed since is not taken back with what was done here before. */
  forgetAbout(ids) {
    const touched = new Set(ids);
    const left = (steps) => steps
      .map((step) => ({ ...step, changes: step.changes.filter(({ id }) => !touched.has(id)) }))
      .filter((step) => step.changes.length || step.order);
    this.past = left(this.past);
    this.future = left(this.future);
  }
}
