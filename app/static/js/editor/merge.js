// Two people changed one picture: what each did since the set that both began with.

import { sameBox } from "./geometry.js";

const byId = (annotations) => new Map(annotations.map((item) => [item.id, item]));

const isSame = (a, b) => (!a && !b) || Boolean(a && b && a.label === b.label && sameBox(a.box, b.box));

/**
 * Nothing of either is lost: a box that only one side touched is as that side left it; one that both
 * changed is as mine; one that one side removed and the other changed stays.
 */
export function mergeSets(base, mine, theirs) {
  const [was, my, their] = [byId(base.annotations), byId(mine.annotations), byId(theirs.annotations)];
  const annotations = [];
  for (const id of new Set([...their.keys(), ...my.keys()])) {
    const before = was.get(id);
    const iTouched = !isSame(before, my.get(id));
    const kept = iTouched ? my.get(id) ?? (isSame(before, their.get(id)) ? null : their.get(id)) : their.get(id);
    if (kept) annotations.push({ ...kept, rev: their.get(id)?.rev });
  }
  return { state: mine.state === base.state ? theirs.state : mine.state, annotations };
}

/** How many boxes `set` has other than `base`: {added, changed, removed}. */
export function difference(base, set) {
  const [was, is] = [byId(base.annotations), byId(set.annotations)];
  const count = { added: 0, changed: 0, removed: 0 };
  for (const [id, item] of is) {
    if (!was.has(id)) count.added += 1;
    else if (!isSame(was.get(id), item)) count.changed += 1;
  }
  for (const id of was.keys()) if (!is.has(id)) count.removed += 1;
  return count;
}
