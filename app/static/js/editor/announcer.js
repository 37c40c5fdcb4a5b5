// What screen readers hear: one sentence after the other, none swallowed by the next.

// A sentence stands so long before the next takes its place; what changes under held keys is told once it rests.
const STAND = 500;
const REST = 250;
const MOST = 4;

export class Announcer {
  constructor(region) {
    Object.assign(this, { region, line: [], standing: 0, resting: 0, last: null });
  }

  /** Soon, in its turn; what waited to be told at rest came before it. */
  say = (words) => {
    this.#rested();
    if (this.line.at(-1) === words) return;
    this.line = [...this.line, words].slice(-MOST);
    this.#next();
  };

  /** Once nothing else is to be told at rest: where a held key has led. */
  describe = (words) => {
    clearTimeout(this.resting);
    this.last = words;
    this.resting = setTimeout(() => this.#rested(), REST);
  };

  #rested() {
    const { last } = this;
    clearTimeout(this.resting);
    this.last = null;
    if (last !== null) this.say(last);
  }

  /** The same words twice are heard twice. */
  #next() {
    if (this.standing || !this.line.length) return;
    const words = this.line.shift();
    const { region } = this;
    region.textContent = region.textContent === words ? `${words}\u00a0` : words;
    this.standing = setTimeout(() => {
      this.standing = 0;
      this.#next();
    }, STAND);
  }
}
