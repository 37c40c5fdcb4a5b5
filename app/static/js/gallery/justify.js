// Justified rows: every picture whole and in its true ratio, every row as wide as the page. Pure arithmetic.

// A panorama or a receipt may not take a row for itself: beyond these ratios the tile crops.
const NARROWEST = 0.45;
const WIDEST = 3.6;

export const clampRatio = (ratio) => Math.min(WIDEST, Math.max(NARROWEST, ratio || 1));

const heightOf = (sum, count, width, gap) => (width - gap * (count - 1)) / sum;

/** Integer widths that fill `width` exactly; the remainders are shared along the row. */
function fillRow(ratios, height, width, gap) {
  const free = width - gap * (ratios.length - 1);
  let edge = 0;
  let taken = 0;
  return ratios.map((ratio, index) => {
    edge += ratio * height;
    const end = index === ratios.length - 1 ? free : Math.round(edge);
    const size = end - taken;
    taken = end;
    return size;
  });
}

/**
 * Rows of about `target` pixels height: [{height, widths}], in the order of `ratios` (width by height).
 * `width` and `gap` are whole pixels. The last row keeps the target height and does not fill the width.
 */
export function justify(ratios, width, target, gap) {
  const rows = [];
  let row = [];
  let sum = 0;
  const close = (members, total) => {
    const height = heightOf(total, members.length, width, gap);
    rows.push({ height: Math.round(height), widths: fillRow(members, height, width, gap) });
  };
  for (const ratio of ratios.map(clampRatio)) {
    const before = row.length ? heightOf(sum, row.length, width, gap) : Infinity;
    const after = heightOf(sum + ratio, row.length + 1, width, gap);
    if (after <= target && before - target < target - after) {
      close(row, sum);
      row = [ratio];
      sum = ratio;
    } else {
      row.push(ratio);
      sum += ratio;
    }
    if (heightOf(sum, row.length, width, gap) <= target) {
      close(row, sum);
      row = [];
      sum = 0;
    }
  }
  if (row.length) rows.push(lastRow(row, sum, width, target, gap));
  return rows;
}

function lastRow(row, sum, width, target, gap) {
  const filled = heightOf(sum, row.length, width, gap);
  const height = Math.min(target, filled);
  return { height: Math.round(height), widths: row.map((ratio) => Math.max(1, Math.floor(ratio * height))) };
}
