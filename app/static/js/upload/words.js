// Sizes and times as one says them.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** 1_234_567 -> "1.2 MB"; thousands, as file managers and the quota count. */
export function sizeInWords(bytes) {
  let amount = bytes;
  let unit = 0;
  while (amount >= 999.5 && unit < UNITS.length - 1) {
    amount /= 1000;
    unit += 1;
  }
  // From gigabytes on a rounded number would promise space that is not there.
  const digits = unit > 0 && amount < (unit < 3 ? 9.95 : 99.95) ? 1 : 0;
  return `${amount.toFixed(digits)} ${UNITS[unit]}`;
}

/** Seconds left, coarse on purpose: a number that jumps is worse than none. */
export function timeInWords(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 8) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 10) * 10} seconds left`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return minutes <= 1 ? "about a minute left" : `about ${minutes} minutes left`;
  const hours = Math.round(minutes / 30) / 2;
  return hours === 1 ? "about an hour left" : `about ${hours} hours left`;
}

export const countInWords = (count, one, many = `${one}s`) => `${count.toLocaleString()} ${count === 1 ? one : many}`;
