// Two people at one picture: when two items say the same, what each side did to one, and what is news.

import { itemOf } from "./wire.js";

const sorted = (value) => {
  if (Array.isArray(value)) return value.map(sorted);
  if (!value || typeof value !== "object") return value;
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]));
};

const text = (value) => JSON.stringify(sorted(value ?? null));

const PARTS = {
  label: (item) => item.label,
  place: (item) => text([item.shape ?? item.box, item.frame ?? 0]),
  attributes: (item) => text(item.attributes ?? {}),
};

/** The parts in which two items differ: of "label", "place", "attributes". */
export const differing = (a, b) => Object.keys(PARTS).filter((part) => PARTS[part](a) !== PARTS[part](b));

/** Whether two items (null: none) say the same; revisions do not matter. */
export function sameItem(a, b) {
  if (!a || !b) return !a && !b;
  return a === b || differing(a, b).length === 0;
}

const WORDS = { label: "label", place: "place", attributes: "attributes" };

const listed = (words) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`);

/** What a side did, for a sentence: "changed its place", "deleted it", "added it". */
export function deedOf(before, after) {
  if (!before && !after) return "did nothing";
  if (!before) return "added it";
  if (!after) return "deleted it";
  const parts = differing(before, after).map((part) => WORDS[part]);
  return parts.length ? `changed its ${listed(parts)}` : "left it as it was";
}

/** An annotation of the API as an item; null for none. */
export const itemOrNull = (annotation) => (annotation ? itemOf(annotation) : null);

function isNews(known, after) {
  return after ? !known || after.rev > known.rev : Boolean(known);
}

/**
 * Of changes [{id, annotation}] in their order, what is new here and may be shown: {free: [{id, after}], isAll}.
 * What has unsent work of one's own in `queue`, or is held in the hand, is left for later.
 */
export function newsOf(changes, queue, isHeld) {
  const last = new Map(changes.map(({ id, annotation }) => [id, itemOrNull(annotation)]));
  const news = [...last].filter(([id, after]) => isNews(queue.known.get(id), after));
  const free = news.filter(([id]) => !isHeld(id) && !queue.isOwn(id));
  return { free: free.map(([id, after]) => ({ id, after })), isAll: free.length === news.length };
}

/** The changes that lead from what is known, as Map, to a whole set of the server. */
export function changesTo(annotations, known) {
  const there = new Set(annotations.map(({ id }) => id));
  const gone = [...known.keys()].filter((id) => !there.has(id)).map((id) => ({ id, annotation: null }));
  return [...annotations.map((annotation) => ({ id: annotation.id, annotation })), ...gone];
}

/** The items of a Map in the order of `ids`; what those do not name comes last. */
export function arranged(items, ids) {
  const named = ids.filter((id) => items.has(id));
  const known = new Set(named);
  const rest = [...items.keys()].filter((id) => !known.has(id));
  return new Map([...named, ...rest].map((id) => [id, items.get(id)]));
}

/** The smallest box around boxes, and a margin of a part of its sides around that. */
export function around(boxes, margin, picture) {
  const left = Math.min(...boxes.map(({ x }) => x));
  const top = Math.min(...boxes.map(({ y }) => y));
  const right = Math.max(...boxes.map(({ x, w }) => x + w));
  const bottom = Math.max(...boxes.map(({ y, h }) => y + h));
  const side = Math.max(right - left, bottom - top, 24);
  const gap = side * margin;
  const x = Math.max(0, left - gap);
  const y = Math.max(0, top - gap);
  return { x, y, w: Math.max(1, Math.min(picture.w, right + gap) - x), h: Math.max(1, Math.min(picture.h, bottom + gap) - y) };
}
