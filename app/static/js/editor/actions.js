// What keys and buttons do; each is one verb on store, canvas, tools or labels.

import { fresh, moved, rounded, settledBox } from "./geometry.js";
import { arrowOf } from "./keymap.js";
import { vertexActions } from "./vertices.js";
import { hasPoints, kindOf, movedPlace, wholePicture } from "./shapes.js";
import { grownTurned, turnedBy } from "./turning.js";

const LEAP = 10;
const PAN = 60;
const BESIDE = 12;
const TURN = 15;

/** A box stretched at its right and lower side by whole pixels, inside the picture. */
function grown(box, [dx, dy], by, picture) {
  const side = (start, length, delta, room) => (delta ? Math.max(1, Math.min(Math.max(room - start, length), length + delta * by)) : length);
  return { ...box, w: side(box.x, box.w, dx, picture.w), h: side(box.y, box.h, dy, picture.h) };
}

function stretchedPlace(item, arrow, by, picture) {
  const kind = kindOf(item);
  if (kind === "box") return { box: settledBox(grown(item.box, arrow, by, picture), item.box) };
  return kind === "rotated" ? grownTurned(item.shape, arrow[0] * by, arrow[1] * by) : null;
}

const amount = (event) => (event.shiftKey ? LEAP : 1);

function drawActions({ canvas, store, labels, tools, naming, picture, announce }) {
  const add = (place, label) => {
    const item = store.add(place.box, label, labels.defaults(label), place.shape);
    if (!item.label) naming.open();
  };
  const tool = (mode, words) => () => {
    tools.setMode(mode);
    announce(words);
  };
  return {
    box: tool("box", "Boxes. Enter makes one in the middle."),
    polygon: tool("polygon", "Outlines. Enter sets a vertex at the crosshair, arrows move it, N ends."),
    points: tool("points", "Points. Enter sets one at the crosshair, arrows move it, N ends."),
    pick: tool("select", "Select"),
    draw() {
      if (tools.tracing.finish()) return;
      store.select(null);
      tools.setMode(tools.drawing);
      tools.aim(canvas.middle);
      announce(tools.traces ? "Draw. Enter sets a vertex, arrows move the crosshair, N ends." : "Draw. Enter makes a box in the middle.");
    },
    place() {
      if (!tools.traces) return add({ box: rounded(fresh(canvas.seen, picture), picture) }, labels.current);
      store.select(null);
      return tools.tracing.add(tools.mode, tools.cursor ?? canvas.middle);
    },
    whole: () => add(wholePicture(), labels.current),
  };
}

function selectedActions({ store, labels, tools, naming, layers, picture, canWrite }) {
  const chosen = () => store.chosen;
  const reshape = (make, kind) => {
    const item = tools.editable;
    const place = item && make(item);
    if (place) store.change(item.id, place, kind);
  };
  const to = (end) => () => {
    const rest = store.ids.filter((id) => id !== store.selected);
    if (chosen()) store.reorder(end ? [...rest, store.selected] : [store.selected, ...rest]);
  };
  const step = (by) => () => {
    const last = by > 0 ? store.ids.at(-1) : store.ids[0];
    const leaves = store.selected === last && store.items.size > 0;
    if (leaves) store.select(null);
    else store.step(by, ({ id }) => !layers.isHidden(id));
    return !leaves && store.items.size > 0;
  };
  return {
    label(id) {
      if (!id) return;
      labels.choose(id);
      const item = tools.editable;
      if (item && canWrite) store.change(item.id, { label: id, attributes: { ...labels.defaults(id), ...item.attributes } }, "label");
      naming.close();
    },
    name: () => naming.open(),
    next: step(1),
    previous: step(-1),
    nudge: (item, arrow, by) => reshape(() => {
      const place = movedPlace(item, arrow[0] * by, arrow[1] * by, picture);
      return place.shape ? place : { box: settledBox(place.box, item.box), shape: undefined };
    }, "nudge"),
    stretch: (event) => reshape((item) => stretchedPlace(item, arrowOf(event), amount(event), picture), "stretch"),
    turnLeft: (event) => reshape((item) => (hasPoints(item) || kindOf(item) === "image" ? null : turnedBy(item, event.altKey ? -TURN : -1)), "turn"),
    turnRight: (event) => reshape((item) => (hasPoints(item) || kindOf(item) === "image" ? null : turnedBy(item, event.altKey ? TURN : 1)), "turn"),
    double() {
      const item = chosen();
      if (!item) return;
      const { box, shape } = item.shape ? movedPlace(item, BESIDE, BESIDE, picture) : { box: moved(item.box, BESIDE, BESIDE, picture) };
      store.add(box, item.label, item.attributes, shape);
    },
    remove() {
      if (!tools.editable) return false;
      store.remove(store.selected);
      return true;
    },
    lock: () => layers.lock(store.selected),
    hide: () => layers.hide(store.selected),
    front: to(true),
    back: to(false),
  };
}

function viewActions({ canvas, store, page, light, root }) {
  return {
    closer: canvas.closer,
    further: canvas.further,
    fit: () => canvas.fit(),
    actual: () => canvas.actual(),
    names: () => page.toggleNames(),
    light: () => light.toggle(),
    lists: () => page.toLists(root),
    newer: () => void page.go(page.newer),
    older: () => void page.go(page.older),
    done: () => store.mark(store.state === "done" ? "in_progress" : "done"),
    async doneAndOn() {
      store.mark("done");
      await page.go(page.older ?? page.home);
    },
  };
}

/** Verbs by the names of the table of keys; other rooms may put theirs in their place. */
export function makeActions(rooms) {
  const { canvas, store, labels, tools, naming, sync, page, previous } = rooms;
  const selected = selectedActions(rooms);
  const vertices = vertexActions(rooms);
  const arrows = (event) => {
    const [arrow, by] = [arrowOf(event), amount(event)];
    if (vertices.move(arrow, by)) return;
    if (tools.editable) selected.nudge(tools.editable, arrow, by);
    else if (tools.traces) vertices.aim(arrow, by);
    else canvas.pan(-arrow[0] * PAN, -arrow[1] * PAN);
  };
  const letGo = () => tools.isLeading && tools.drop();
  const actions = {
    ...drawActions(rooms),
    ...selected,
    ...viewActions(rooms),
    nudge: arrows,
    vertex: vertices.next,
    insert: vertices.insert,
    digit: ({ key }) => actions.label(labels.byDigit(key)),
    // Over a drag of the hand these are about what is dragged.
    remove: () => (letGo(), tools.tracing.back() || vertices.remove() || selected.remove()),
    undo: () => letGo() || tools.tracing.back() || store.undo(),
    redo: () => (letGo(), store.redo()),
    save: () => void sync.save(),
    previousSet: () => previous.copy(),
    escape() {
      if (tools.cancel() || vertices.leave()) return;
      if (naming.isOpen) naming.close();
      else if (store.chosen) store.select(null);
      else page.back();
    },
  };
  return actions;
}
