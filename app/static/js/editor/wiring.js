// Buttons, links and the page's own events, tied to what they do.

import { all } from "../frame/dom.js";

const PATIENCE = 4000;
const MODES = ["select", "box", "polygon", "points"];

/** Where one can go from here; leaving saves first. */
export function makePage({ part, root, surface, view, sync }) {
  const page = {
    newer: part("newer")?.href ?? null,
    older: part("older")?.href ?? null,
    home: part("back").href,
    back: () => page.go(page.home),

    /** Saves first; a server that does not answer is waited for only so long. */
    async go(url) {
      if (!url) return;
      await Promise.race([sync.save(), new Promise((late) => setTimeout(late, PATIENCE))]);
      if (sync.phase === "conflict") return;
      location.assign(url);
    },

    toggleNames() {
      view.showNames(!view.hasNames);
      part("names").setAttribute("aria-pressed", String(view.hasNames));
    },

    /** From the surface to the lists, and back: Tab goes through the annotations there. */
    toLists() {
      const inside = root.querySelector(".side").contains(document.activeElement);
      // On a wide screen the button of the sheet is there and not shown: it takes no focus.
      const shown = all(".side :is([aria-current], [aria-pressed=true], button)", root).find((one) => one.checkVisibility());
      (inside ? surface : shown)?.focus({ preventScroll: true });
    },
  };
  return page;
}

export function wireButtons({ root, part, surface, tools, store, actions }) {
  for (const button of all("[data-do]", root)) button.addEventListener("click", (event) => actions[button.dataset.do](event));
  const press = (name, on) => part(name)?.setAttribute("aria-pressed", String(on));
  const showMode = () => {
    for (const mode of MODES) press(`mode-${mode}`, tools.mode === mode);
    surface.dataset.mode = tools.mode;
  };
  const able = (name, can) => {
    for (const button of all(`[data-do="${name}"]`, root)) button.disabled = !can;
  };
  const showSteps = () => {
    able("undo", store.canUndo);
    able("redo", store.canRedo);
  };
  const showChosen = () => ["remove", "front", "back", "double"].forEach((name) => able(name, store.chosen));
  tools.addEventListener("mode", showMode);
  for (const name of ["edit", "items"]) store.addEventListener(name, showSteps);
  for (const name of ["select", "items"]) store.addEventListener(name, showChosen);
  store.addEventListener("state", () => press("done", ["done", "accepted"].includes(store.state)));
  showMode();
  showSteps();
  showChosen();
}

/** Ways to other pages; with a modifier the browser opens them as it likes. */
export function wireLinks({ part, page }) {
  for (const link of [part("back"), part("newer"), part("older")].filter(Boolean)) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      page.go(link.href);
    });
  }
}

/** The field for a label and a notice lie on the surface, but a press on them is theirs alone. */
export function wireFloating({ surface }) {
  for (const floating of surface.querySelectorAll("form, [role=alert], [data-floating]")) {
    for (const name of ["pointerdown", "dblclick", "wheel"]) floating.addEventListener(name, (event) => event.stopPropagation());
  }
}

/** The ring shows to those who came by Tab, and to nobody who draws. */
export function wireRing({ surface }) {
  surface.addEventListener("keyup", (event) => event.key === "Tab" && surface.toggleAttribute("data-keyed", true));
  for (const name of ["blur", "pointerdown"]) surface.addEventListener(name, () => surface.removeAttribute("data-keyed"));
}

/** The sheet of lists on a phone. */
export function wireSheet({ part, root }) {
  part("sheet-toggle")?.addEventListener("click", (event) => {
    const open = root.classList.toggle("is-sheet-open");
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
}

export function wireSpace({ tools, surface }) {
  const hold = (held) => {
    tools.spaceHeld = held;
    surface.dataset.cursor = held ? "pan" : tools.mode === "select" ? "default" : "draw";
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, a, input, textarea, select, summary, dialog")) return;
    event.preventDefault();
    if (!event.repeat) hold(true);
  });
  document.addEventListener("keyup", (event) => event.key === " " && hold(false));
  addEventListener("blur", () => hold(false));
}

export function wireSaving({ sync, store, labels, readLabels }) {
  const readAgain = () => readLabels().catch(() => {});
  sync.addEventListener("schema", ({ detail }) => readLabels().then(() => (sync.schema = detail.schema), () => {}));
  sync.addEventListener("saved", () => labels.hasTyped && readAgain());
  // A colleague may have made a label since the list was read.
  sync.addEventListener("received", ({ detail }) => {
    const used = detail.ids.map((id) => store.get(id)?.label).filter(Boolean);
    if (used.some((label) => !labels.get(label))) readAgain();
  });
  for (const name of ["online", "focus"]) addEventListener(name, () => sync.again());
  document.addEventListener("visibilitychange", () => (document.hidden ? sync.save() : sync.again()));
  addEventListener("pagehide", () => {
    sync.leaving.go();
    sync.save();
  });
  // Browsers that keep pages that say no-store, as Safari does without TLS, bring the page back as it was.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    sync.leaving.back();
    sync.again();
  });
  addEventListener("beforeunload", (event) => {
    if (sync.isDirty && sync.phase !== "loading") event.preventDefault();
  });
}
