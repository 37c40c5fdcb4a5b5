// Puts justified rows on the tiles, by the CSSOM. Runs before the first paint and after each change of width.

import { justify } from "./justify.js";

function measure(rows) {
  const style = getComputedStyle(rows);
  return {
    width: Math.floor(rows.getBoundingClientRect().width),
    target: parseFloat(style.getPropertyValue("--row")),
    gap: parseFloat(style.getPropertyValue("--gap")),
  };
}

const ratioOf = (tile) => Number(tile.dataset.w) / Number(tile.dataset.h);

/** Lays out one list of tiles; all reads come before all writes. */
export function layOut(rows) {
  const { width, target, gap } = measure(rows);
  if (!width) return;
  const tiles = [...rows.children].filter((tile) => !tile.hidden);
  const laid = justify(tiles.map(ratioOf), width, target, gap);
  let next = 0;
  for (const { height, widths } of laid) {
    for (const size of widths) {
      const { style } = tiles[next++];
      style.width = `${size}px`;
      style.height = `${height}px`;
    }
  }
  rows.dataset.laid = width;
}

export const layOutAll = (root = document) => root.querySelectorAll("[data-rows]").forEach(layOut);

/** Lays out again whenever the width of `timeline` changes. */
export function follow(timeline) {
  let known = timeline.clientWidth;
  new ResizeObserver(() => {
    if (timeline.clientWidth === known) return;
    known = timeline.clientWidth;
    layOutAll(timeline);
  }).observe(timeline);
}
