// The date scrubber at the right edge: all months by their share of the pictures. The list under
// "Go to" says the same to keyboards and screen readers, so the rail is hidden from them.

import { all, element, settle } from "../frame/dom.js";

const share = (count) => Math.sqrt(count) + 1;

/** [{key, title, url, from, to}] with from and to in 0..1 along the rail. */
export function place(marks) {
  const total = marks.reduce((sum, mark) => sum + share(mark.count), 0);
  let at = 0;
  return marks.map((mark) => {
    const from = at;
    at += share(mark.count) / total;
    return { ...mark, from, to: at };
  });
}

const read = (list) =>
  all("a[data-key]", list).map((link) => ({
    key: link.dataset.key,
    title: link.firstElementChild.textContent,
    count: Number(link.dataset.count),
    url: link.href,
  }));

export class Rail {
  constructor(list, timeline) {
    this.timeline = timeline;
    this.marks = place(read(list));
    this.here = element("div", { class: "here" });
    this.bubble = element("div", { class: "bubble", hidden: true });
    this.root = element("div", { class: "rail", "aria-hidden": "true" }, this.here, this.bubble);
    this.#drawTicks();
    document.body.append(this.root);
    this.#listen();
    this.#follow();
  }

  #drawTicks() {
    let year = "";
    for (const mark of this.marks) {
      const isNewYear = mark.key.slice(0, 4) !== year;
      year = mark.key.slice(0, 4);
      const node = isNewYear ? element("div", { class: "year", text: year }) : element("div", { class: "tick" });
      node.style.top = `${mark.from * 100}%`;
      this.root.append(node);
    }
  }

  #markAt(y) {
    const box = this.root.getBoundingClientRect();
    const part = Math.min(0.9999, Math.max(0, (y - box.top) / box.height));
    return this.marks.find((mark) => part < mark.to) ?? this.marks.at(-1);
  }

  #listen() {
    const show = (event) => {
      const mark = this.#markAt(event.clientY);
      this.bubble.hidden = false;
      this.bubble.textContent = mark.title;
      this.bubble.style.top = `${event.clientY - this.root.getBoundingClientRect().top}px`;
    };
    this.root.addEventListener("pointermove", show);
    this.root.addEventListener("pointerleave", () => (this.bubble.hidden = true));
    this.root.addEventListener("pointerdown", (event) => {
      this.root.setPointerCapture(event.pointerId);
      this.root.classList.add("is-held");
    });
    this.root.addEventListener("pointerup", (event) => {
      this.root.classList.remove("is-held");
      this.#go(this.#markAt(event.clientY));
    });
  }

  #go(mark) {
    const section = this.timeline.querySelector(`[data-month="${mark.key}"]`);
    if (section) section.scrollIntoView({ block: "start" });
    else location.assign(mark.url);
  }

  /** The amber mark shows where the eye is. */
  #follow() {
    const rest = settle(() => document.body.classList.remove("is-scrolling"), 900);
    let waiting = false;
    const move = () => {
      waiting = false;
      const top = this.root.getBoundingClientRect().top + 60;
      const section = all("[data-month]", this.timeline).find((one) => one.getBoundingClientRect().bottom > top);
      const mark = this.marks.find((one) => one.key === section?.dataset.month);
      if (mark) this.here.style.top = `${mark.from * 100}%`;
    };
    addEventListener("scroll", () => {
      document.body.classList.add("is-scrolling");
      rest();
      if (!waiting) requestAnimationFrame(move);
      waiting = true;
    }, { passive: true });
    move();
  }
}
