// Days as the person's own clock counts them.

/** The end of the day "2026-12-24" as a moment in UTC; "" for no day. */
export function endOfDay(day) {
  if (!day) return "";
  const [year, month, date] = day.split("-").map(Number);
  return new Date(year, month - 1, date + 1).toISOString();
}

/** The day of now, as a date field has it. */
export function today(now = new Date()) {
  const two = (number) => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
