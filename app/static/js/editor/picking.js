// Which annotation a press means: the smallest under the point, and at another press there the next one.

import { areaOf, hits } from "./shapes.js";

/** All under a point, the smallest first; of two equal ones that in front. */
export function stackAt(items, point, slack = 0) {
  return items
    .map((item, at) => ({ item, at }))
    .filter(({ item }) => hits(item, point, slack))
    .map((one) => ({ ...one, area: areaOf(one.item) }))
    .sort((a, b) => a.area - b.area || b.at - a.at)
    .map(({ item }) => item);
}

/** The smallest under a point; what lies inside another must stay reachable. */
export function itemAt(items, point, slack = 0) {
  let best = null;
  let least = Infinity;
  for (const item of items) {
    if (!hits(item, point, slack)) continue;
    const area = areaOf(item);
    if (area > least) continue;
    best = item;
    least = area;
  }
  return best;
}

/** The one behind the selected one at this point, around; the selected one itself if it is alone. */
export function nextAt(items, point, slack, selected) {
  const stack = stackAt(items, point, slack);
  const at = stack.findIndex(({ id }) => id === selected);
  return stack.length ? stack[(at + 1) % stack.length] : null;
}
