// Older pictures as one scrolls. The link to the next page works by itself; here it is followed ahead of the eye.

import { element, settle } from "../frame/dom.js";
import { fetchPage } from "../frame/http.js";
import { localiseTimes } from "../frame/times.js";
import { layOut, layOutAll } from "./layout.js";

const AHEAD = "1800px";

const listOf = (month) => month.querySelector("[data-rows], [data-list], tbody");

/** A month that the last page cut goes on in its own section. */
function join(timeline, page) {
  const last = [...timeline.querySelectorAll("[data-month]")].at(-1);
  for (const month of page.querySelectorAll("[data-month]")) {
    if (last && month.dataset.month === last.dataset.month) {
      const list = listOf(last);
      list.append(...listOf(month).children);
      if (list.matches("[data-rows]")) layOut(list);
    } else {
      timeline.append(month);
      layOutAll(month);
    }
  }
}

const bones = () => element("div", { class: "bones", "aria-hidden": "true" }, ...Array.from({ length: 6 }, () => element("i")));

export class Timeline {
  constructor(root) {
    this.root = root;
    this.loaded = 1;
    this.busy = null;
    this.watch = new IntersectionObserver(([seen]) => seen.isIntersecting && this.more(), { rootMargin: AHEAD });
    this.#watchEnd();
  }

  get end() {
    return this.root.querySelector("[data-onward]");
  }

  #watchEnd() {
    this.watch.disconnect();
    if (this.end) this.watch.observe(this.end);
  }

  /** Loads the next page once; resolves when it stands. */
  more() {
    if (!this.end) return Promise.resolve();
    this.busy ??= this.#load().finally(() => (this.busy = null));
    return this.busy;
  }

  async #load() {
    const end = this.end;
    const link = end.querySelector("a");
    end.replaceChildren(bones());
    try {
      const page = (await fetchPage(link.href)).querySelector("[data-months]");
      end.remove();
      const next = page?.querySelector("[data-onward]");
      if (page) {
        localiseTimes(page);
        join(this.root, page);
      }
      if (next) this.root.append(next);
      this.loaded += 1;
      this.#watchEnd();
      this.root.dispatchEvent(new CustomEvent("grown"));
    } catch {
      this.#offerAgain(end, link);
    }
  }

  #offerAgain(end, link) {
    this.watch.disconnect();
    end.replaceChildren(
      element("span", { class: "quiet", text: "The older pictures could not be loaded. " }),
      element("button", { class: "btn btn-plain btn-small", type: "button", text: "Try again", onclick: () => {
        end.replaceChildren(link);
        this.more();
      } }),
    );
  }
}

/** Coming back from a picture, the same stretch is loaded and the eye is where it was. */
export async function returnTo(timeline) {
  const { loaded = 1, y = 0 } = history.state ?? {};
  // The browser would go on restoring its own idea of the place while the page still grows.
  history.scrollRestoration = "manual";
  const keep = () => history.replaceState({ loaded: timeline.loaded, y: scrollY }, "");
  addEventListener("scroll", settle(keep, 120), { passive: true });
  // Before the page is left, not while: by then the entry is no longer ours to change.
  document.addEventListener("click", (event) => event.target.closest("a") && keep(), true);
  while (timeline.loaded < loaded && timeline.end) {
    const before = timeline.loaded;
    await timeline.more();
    if (timeline.loaded === before) break;
  }
  if (y) scrollTo({ top: y, behavior: "instant" });
}
