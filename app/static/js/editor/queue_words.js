// What the editor says of saving, always in sight: "Saved 12:03:04", "3 waiting", "Offline, 3 waiting", "Conflict".

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

const clock = (moment) => (moment ? ` ${CLOCK.format(moment)}` : "");

/** "1 change", "3 changes". */
export const changes = (count) => (count === 1 ? "1 change" : `${count} changes`);

const TOLD = {
  loading: () => "Loading",
  saved: ({ savedAt }) => `Saved${clock(savedAt)}`,
  unsaved: ({ waiting }) => `${waiting} waiting`,
  saving: ({ waiting }) => `Saving ${waiting}`,
  waiting: ({ waiting, isOffline, words }) => (isOffline ? `Offline, ${waiting} waiting` : `${waiting} waiting: ${words}`),
  "signed-out": ({ waiting }) => `Signed out, ${waiting} waiting`,
  stranger: ({ waiting }) => `Somebody else signed in, ${waiting} waiting`,
  conflict: ({ clashes }) => (clashes === 1 ? "Conflict at 1 box" : `Conflict at ${clashes} boxes`),
  submitted: ({ waiting }) => `Submitted, ${waiting} waiting`,
  refused: ({ waiting, words }) => `${waiting} not saved: ${words}`,
};

const HELD_UP = ["waiting", "signed-out", "stranger", "conflict", "submitted", "refused"];

/** One line for a state of saving; `unlabelled` boxes are not sent before they have a label. */
export function saveWords(sync, unlabelled = 0) {
  const place = sync.isTabOnly && HELD_UP.includes(sync.phase) ? ", in this tab only" : "";
  const told = TOLD[sync.phase](sync) + place;
  if (!unlabelled || sync.phase === "loading") return told;
  return `${told}, ${unlabelled} without label`;
}
