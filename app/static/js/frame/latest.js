// Pointers report more often than the screen draws: the last report of a frame counts.

export class Latest {
  constructor() {
    this.waiting = null;
  }

  soon(work) {
    if (this.waiting === null) requestAnimationFrame(() => {
      const run = this.waiting;
      this.waiting = null;
      run?.();
    });
    this.waiting = work;
  }

  forget() {
    this.waiting = null;
  }
}
