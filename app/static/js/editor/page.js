// The box editor: puts the rooms together and keeps the page from closing over unsaved boxes.

import { all } from "../frame/dom.js";
import { settle, sharpen } from "../frame/print.js";
import { api, send } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { makeActions } from "./actions.js";
import { Canvas } from "./canvas.js";
import { settleConflict } from "./conflict.js";
import { bindKeys, writeSheet } from "./keymap.js";
import { Labels } from "./labels.js";
import { Naming } from "./naming.js";
import { Overlay } from "./overlay.js";
import { BoxPanel, LabelPanel } from "./panels.js";
import { announce, SaveState, StatusLine } from "./status.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import { Tools } from "./tools.js";
import { BoxView } from "./view.js";

const PATIENCE = 4000;

const root = document.querySelector("[data-editor]");
const { image, collection, w, h, full } = root.dataset;
const canWrite = root.hasAttribute("data-can-write");
const picture = { w: Number(w), h: Number(h) };
const part = (name) => root.querySelector(`[data-${name}]`);

const store = new Store();
const labels = new Labels(root.hasAttribute("data-open-labels"));
const sync = new Sync(store, (options) => send(api(`/images/${image}/annotations`), options));
const surface = part("canvas");
const canvas = new Canvas(surface, picture);
const view = new BoxView(part("world"), store, labels);
const overlay = new Overlay(part("overlay"));
const tools = new Tools({ canvas, store, labels, view, overlay, canWrite });
const naming = new Naming(part("naming"), { canvas, store, labels });

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
    const off = surface.classList.toggle("no-names");
    part("names").setAttribute("aria-pressed", String(!off));
  },
};

const actions = makeActions({ canvas, store, labels, tools, naming, sync, page, canWrite, picture });

const readLabels = async () => labels.load((await send(api(`/collections/${collection}/labels`))).data.labels);

function wireButtons() {
  for (const button of all("[data-do]", root)) button.addEventListener("click", (event) => actions[button.dataset.do](event));
  const press = (name, on) => part(name)?.setAttribute("aria-pressed", String(on));
  const showMode = () => {
    press("mode-draw", tools.mode === "draw");
    press("mode-select", tools.mode === "select");
    surface.dataset.mode = tools.mode;
  };
  const showSteps = () => {
    for (const [name, can] of [["undo", store.canUndo], ["redo", store.canRedo]]) {
      const button = root.querySelector(`[data-do="${name}"]`);
      if (button) button.disabled = !can;
    }
  };
  tools.addEventListener("mode", showMode);
  store.addEventListener("edit", showSteps);
  store.addEventListener("items", showSteps);
  store.addEventListener("state", () => press("done", ["done", "accepted"].includes(store.state)));
  showMode();
  showSteps();
  for (const link of [part("back"), part("newer"), part("older")].filter(Boolean)) {
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      page.go(link.href);
    });
  }
}

/** The ring shows to those who came by Tab, and to nobody who draws. */
function wireRing() {
  surface.addEventListener("keyup", (event) => event.key === "Tab" && surface.toggleAttribute("data-keyed", true));
  for (const name of ["blur", "pointerdown"]) surface.addEventListener(name, () => surface.removeAttribute("data-keyed"));
}

function wireSpace() {
  const hold = (held) => {
    tools.spaceHeld = held;
    surface.dataset.cursor = held ? "pan" : tools.mode === "draw" ? "draw" : "default";
  };
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || event.target.closest("button, a, input, textarea, summary, dialog")) return;
    event.preventDefault();
    if (!event.repeat) hold(true);
  });
  document.addEventListener("keyup", (event) => event.key === " " && hold(false));
  addEventListener("blur", () => hold(false));
}

function wireSaving() {
  sync.addEventListener("conflict", ({ detail }) => settleConflict(sync, store, detail));
  sync.addEventListener("saved", () => labels.hasTyped && readLabels().catch(() => {}));
  sync.addEventListener("phase", () => (part("signed-out").hidden = sync.phase !== "signed-out"));
  for (const name of ["online", "focus"]) addEventListener(name, () => sync.again());
  document.addEventListener("visibilitychange", () => (document.hidden ? sync.save() : sync.again()));
  addEventListener("pagehide", () => sync.leave());
  addEventListener("beforeunload", (event) => {
    if (sync.isDirty && sync.phase !== "loading") event.preventDefault();
  });
}

function wirePanels() {
  new LabelPanel(root, labels, store, (name) => actions.label(name));
  new BoxPanel(root, labels, store, {
    canWrite,
    onHover: (id) => view.hover(id),
    onPick: (id) => {
      store.select(id);
      surface.focus({ preventScroll: true });
    },
  });
  new SaveState(part("save-state"), sync, store);
  new StatusLine(part("status"), { canvas, store, tools, picture });
  announce(store, labels, part("said"));
  part("sheet-toggle")?.addEventListener("click", (event) => {
    const open = root.classList.toggle("is-sheet-open");
    event.currentTarget.setAttribute("aria-expanded", String(open));
  });
}

async function start() {
  const print = part("print");
  settle(print, surface);
  sharpen(print, { full, w, h }, canvas, true);
  canvas.addEventListener("change", ({ detail }) => view.place(detail));
  view.place(canvas.view);
  wireButtons();
  wireSpace();
  wireRing();
  wireSaving();
  wirePanels();
  bindKeys(actions, canWrite);
  writeSheet(document.querySelector("[data-key-columns]"), canWrite);
  tools.addEventListener("drawn", ({ detail }) => detail.label || naming.open());
  surface.addEventListener("dblclick", () => canWrite && naming.open());
  try {
    await readLabels();
    await sync.load();
    labels.meet(store.list.map((item) => item.label));
    tools.refresh();
    root.removeAttribute("data-loading");
  } catch (error) {
    part("unloaded").hidden = false;
    part("unloaded-words").textContent = error.message;
  }
}

start().catch((error) => toast(error.message));
