// Vertices by keys: one of the selected outline is the active one; without a selection the crosshair moves.

import { within } from "./geometry.js";
import { halfway, inserted, without, withVertex } from "./outline.js";
import { hasPoints, placed } from "./shapes.js";

const CROSSHAIR = 10;

export function vertexActions({ canvas, store, tools, picture, announce, describe }) {
  const outlined = () => (tools.editable && hasPoints(tools.editable) ? tools.editable : null);
  const show = (vertex) => {
    tools.vertex = vertex;
    tools.refresh();
    const item = outlined();
    if (item && vertex !== null) describe(`Vertex ${vertex + 1} of ${item.shape.points.length} at ${item.shape.points[vertex].map(Math.round).join(", ")}`);
  };
  const active = () => {
    const item = outlined();
    return item && tools.vertex !== null && tools.vertex < item.shape.points.length ? item : null;
  };
  tools.addEventListener("without", () => actions.remove());
  const actions = {
    next() {
      const item = outlined();
      if (item) show(tools.vertex === null ? 0 : (tools.vertex + 1) % item.shape.points.length);
    },
    /** True if a vertex was there to move. */
    move([dx, dy], by) {
      const item = active();
      if (!item) return false;
      const [x, y] = item.shape.points[tools.vertex];
      const { vertex } = tools;
      store.change(item.id, placed(withVertex(item.shape, vertex, within({ x: x + dx * by, y: y + dy * by }, picture))), `vertex ${vertex}`);
      show(vertex);
      return true;
    },
    insert() {
      const item = outlined();
      if (!item || item.shape.type !== "polygon") return;
      const at = tools.vertex ?? 0;
      store.change(item.id, placed(inserted(item.shape, at, halfway(item.shape.points, at))), "insert");
      show(at + 1);
    },
    /** True if a vertex was active: it is taken out, unless too few would be left. */
    remove() {
      const item = active();
      if (!item) return false;
      const shape = without(item.shape, tools.vertex);
      if (!shape) return announce("It has no vertex to spare."), true;
      const { vertex } = tools;
      store.change(item.id, placed(shape), "without");
      show(Math.min(vertex, shape.points.length - 1));
      return true;
    },
    leave() {
      if (!active()) return false;
      show(null);
      return true;
    },
    /** The crosshair by keys: tens of pixels of the screen, finer the closer one looks. */
    aim([dx, dy], by) {
      const from = tools.cursor ?? canvas.middle;
      const step = (by * CROSSHAIR) / canvas.view.scale / (by > 1 ? 2 : 1);
      tools.aim(within({ x: from.x + dx * step, y: from.y + dy * step }, picture));
      describe(`Crosshair at ${Math.round(tools.cursor.x)}, ${Math.round(tools.cursor.y)}`);
    },
  };
  return actions;
}
