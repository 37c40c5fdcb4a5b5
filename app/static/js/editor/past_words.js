// One save in words: "drew 2 boxes, changed apple".

const NOUN = { one: "box", many: "boxes" };
const STATES = { new: "new", in_progress: "in progress", done: "done", skipped: "skipped", rejected: "rejected", accepted: "accepted" };
const WAYS = { restore: "went back", import: "imported", adjudicate: "adjudicated", relabel: "changed the labels", move: "moved the picture" };
const VERBS = { add: "drew", update: "changed", delete: "deleted" };

const kindOf = ({ before, after }) => (before ? (after ? "update" : "delete") : "add");

function deed(kind, list, labels) {
  const names = new Set(list.map(({ before, after }) => labels.get((after ?? before).label_id)?.name ?? (after ?? before).label));
  const what = list.length === 1 ? [...names][0] : `${list.length} ${NOUN.many}`;
  return `${VERBS[kind]} ${what}`;
}

/** Entries of the log as the API tells them, newest first, as saves: {seq, at, person, way, changes: [{kind, id, before, after}]}. */
export function savesOf(entries) {
  const saves = new Map();
  for (const { seq, at, person, way, op: kind, id, before, after } of entries) {
    if (!saves.has(seq)) saves.set(seq, { seq, at, person, way, changes: [] });
    saves.get(seq).changes.push({ kind, id, before, after });
  }
  return [...saves.values()];
}

/** What a save did. */
export function deedsOf({ way, changes }, labels) {
  const boxes = changes.filter(({ kind }) => kind in VERBS);
  const parts = Object.keys(VERBS)
    .map((kind) => [kind, boxes.filter((change) => kindOf(change) === kind)])
    .filter(([, list]) => list.length)
    .map(([kind, list]) => deed(kind, list, labels));
  if (changes.some(({ kind }) => kind === "order")) parts.push("changed the order");
  const state = changes.find(({ kind }) => kind === "state");
  if (state) parts.push(`${STATES[state.before] ?? state.before} → ${STATES[state.after] ?? state.after}`);
  const words = parts.join(", ") || "saved";
  return WAYS[way] ? `${WAYS[way]}: ${words}` : words;
}
