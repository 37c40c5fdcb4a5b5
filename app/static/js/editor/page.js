// The editor: puts the rooms together and keeps the page from closing over unsaved work.

import { settle, sharpen } from "../frame/print.js";
import { api, send } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { makeActions } from "./actions.js";
import { Announcer } from "./announcer.js";
import { AttributePanel } from "./attribute-panel.js";
import { Canvas } from "./canvas.js";
import { wireClipboard } from "./clipboard.js";
import * as comments from "./comments.js";
import * as conflict from "./conflict.js";
import * as history from "./history.js";
import { bindKeys } from "./keymap.js";
import { LabelPanel } from "./label-panel.js";
import { Labels } from "./labels.js";
import { Layers } from "./layers.js";
import { Light } from "./light.js";
import { ListPanel } from "./list-panel.js";
import * as login from "./login.js";
import { Minimap } from "./minimap.js";
import { Naming } from "./naming.js";
import { Overlay } from "./overlay.js";
import * as presence from "./presence.js";
import { Previous } from "./previous.js";
import { Wire } from "./queue_wire.js";
import { SaveState, StatusLine, tellWhatHappens } from "./status.js";
import { holdSprite } from "./sprite.js";
import { Store } from "./store.js";
import { Sync } from "./sync.js";
import * as task from "./task.js";
import { Tools } from "./tools.js";
import { BoxView } from "./view.js";
import { makePage, wireButtons, wireFloating, wireLinks, wireRing, wireSaving, wireSheet, wireSpace } from "./wiring.js";

// On a phone the names of many would hide the picture; the key and the button show them again.
const NARROW = 600;
const CROWD = 12;

const root = document.querySelector("[data-editor]");
const { w, h, fullUrl: full, setUrl, changesUrl, labelsUrl, previousSetUrl, keys } = root.dataset;
const canWrite = root.hasAttribute("data-can-write");
const picture = { w: Number(w), h: Number(h) };
const part = (name) => root.querySelector(`[data-${name}]`);

const { say: announce, describe } = new Announcer(part("said"));
const store = new Store();
const labels = new Labels(root.hasAttribute("data-open-labels"));
const layers = new Layers(store);
const sync = new Sync(store, new Wire({ setUrl, changesUrl, keyUrl: api("/sessions/draft-key") }), root.dataset.user);
const surface = part("canvas");
const canvas = new Canvas(surface, picture);
const view = new BoxView(part("world"), part("name-sheet"), { canvas, store, labels, layers });
const overlay = new Overlay(part("overlay"), canvas);
const tools = new Tools({ canvas, store, labels, layers, view, overlay, canWrite });
const naming = new Naming(part("naming"), { canvas, store, labels });
const page = makePage({ part, root, surface, view, sync });
const status = {};
const rooms = { root, part, surface, canvas, store, labels, layers, tools, naming, sync, page, picture, canWrite, announce, describe };
rooms.light = new Light(part("light"), canvas.images, part("light-button"));
rooms.previous = new Previous(previousSetUrl, rooms);
const actions = makeActions(rooms);
rooms.actions = actions;

/** What the modules of other rooms begin with. */
const context = { root, store, view, sync, status, announce, describe, labels, layers, canvas, tools, canWrite, page, actions };

const readLabels = async () => labelsUrl && labels.load((await send(labelsUrl)).data.labels);

function wirePanels() {
  const toSurface = () => surface.focus({ preventScroll: true });
  new LabelPanel(root, labels, store, (id) => actions.label(id));
  new AttributePanel(part("attributes"), { labels, store, tools, onDone: toSurface });
  new ListPanel(root, {
    labels, store, layers, canWrite,
    onHover: (id) => view.hover(id),
    onPick(id) {
      store.select(id);
      toSurface();
    },
    onLayer: (kind, id) => layers[kind](id),
  });
  for (const fold of root.querySelectorAll(".fold")) fold.addEventListener("toggle", () => fold.open && fold.scrollIntoView({ block: "nearest" }));
  status.save = new SaveState(part("save-state"), sync, store);
  status.line = new StatusLine(part("status"), { canvas, store, tools, picture });
  tellWhatHappens(store, labels, announce, describe);
  store.addEventListener("met", ({ detail }) => labels.meet(detail.annotations));
}

function wireSurface() {
  const print = part("print");
  settle(print, surface);
  sharpen(print, { full, w, h }, canvas, true);
  canvas.addEventListener("change", ({ detail }) => view.place(detail));
  view.place(canvas.view);
  new Minimap(part("minimap"), canvas);
  tools.addEventListener("drawn", ({ detail }) => detail.item.label || naming.open());
  surface.addEventListener("dblclick", () => canWrite && !tools.traces && naming.open());
}

async function start() {
  holdSprite().catch(() => {});
  wireSurface();
  for (const wire of [wireButtons, wireFloating, wireLinks, wireSpace, wireRing, wireSheet, wireClipboard]) wire(rooms);
  wireSaving({ ...rooms, readLabels });
  wirePanels();
  for (const module of [history, comments, presence, login, conflict, task]) module.start(context);
  bindKeys(JSON.parse(keys), actions, canWrite);
  try {
    await readLabels();
    await sync.load();
    tools.refresh();
    if (innerWidth < NARROW && store.items.size > CROWD) page.toggleNames();
    root.removeAttribute("data-loading");
  } catch (error) {
    part("unloaded").hidden = false;
    part("unloaded-words").textContent = error.message;
  }
}

start().catch((error) => toast(error.message));
