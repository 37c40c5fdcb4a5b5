// The page goes: what is sent now is sent at once, or never. The browser carries it on after the page.

export class Leaving {
  constructor() {
    this.back();
  }

  /** The page stays, or came back as it was: `now` waits again until `go` is called. */
  back() {
    this.now = new Promise((leave) => (this.go = leave));
  }
}
