// What the band below the bar says of a task, and what the ways out of it ask.

const moment = (text) => new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" }).format(new Date(text));
const clock = (text) => new Intl.DateTimeFormat(undefined, { timeStyle: "short" }).format(new Date(text));
const who = (person, nobody = "Somebody") => (person ? (person.you ? "you" : person.name) : nobody);
const Who = (person) => (person?.you ? "You" : who(person));

function submitted(task, isCopy) {
  const when = task.submitted_at ? `, ${moment(task.submitted_at)}` : "";
  const by = `Submitted by ${who(task.submitted_by, "somebody")}${when}.`;
  if (task.can.includes("accept")) return `${by} It waits for a review.`;
  if (isCopy && !task.can.includes("reopen")) return `${by} It was compared with the others, and stays as it is.`;
  return `${by} It is read-only.${task.can.includes("reopen") ? "" : " A reviewer can send it back."}`;
}

function accepted(task) {
  const when = task.reviewed_at ? `, ${moment(task.reviewed_at)}` : "";
  return `Accepted by ${who(task.reviewed_by, "somebody")}${when}. It is read-only${task.can.includes("reopen") ? "" : " until a reviewer reopens it"}.`;
}

/** {words, look} of the band; null where there is nothing to say. `isCopy`: of a blind round. */
export function bandOf(task, isCopy = false) {
  if (task.state === "accepted") return { words: accepted(task), look: "quiet" };
  if (task.state === "done") return { words: submitted(task, isCopy), look: "quiet" };
  if (task.reason && task.reason_of === "rejected") {
    return { words: `${Who(task.reviewed_by)} sent this back: ${task.reason}`, look: "warning" };
  }
  if (task.state === "skipped" && task.reason === null) return { words: "The round goes on without this copy. It is kept as it is, and shown to nobody.", look: "quiet" };
  if (task.state === "skipped") return { words: `${Who(task.submitted_by)} skipped this: ${task.reason ?? ""}`, look: "warning" };
  if (task.holder && !task.holder.you) {
    return { words: `${task.holder.name} has this picture until ${clock(task.lease_until)}. You can look, and write beside them.`, look: "quiet" };
  }
  if (task.assignee && !task.assignee.you) return { words: `Assigned to ${task.assignee.name}.`, look: "quiet" };
  return null;
}

/** {item, attribute, words(label, deed)} of the first attribute that a refusal asks for; null where it is about something else. */
export function lackOf(error, items) {
  const asked = error.body?.errors ?? [];
  const [, at, attribute] = /^annotations\[(\d+)\]\.attributes\.(.+)$/.exec(asked[0]?.path ?? "") ?? [];
  if (!items[at]) return null;
  const more = asked.length > 1 ? ` ${asked.length - 1} more ${asked.length > 2 ? "are" : "is"} missing.` : "";
  return { item: items[at], attribute, words: (label, deed) => `Not ${deed === "accept" ? "accepted" : "submitted"}: “${label}” needs “${attribute}”.${more}` };
}

export const QUESTIONS = {
  skip: { title: "Skip this picture?", label: "Why, for whoever looks at it next", yes: "Skip it" },
  reject: { title: "Send this picture back?", label: "What is to be mended", yes: "Send it back" },
  assign: { title: "Whose picture is it?", yes: "Assign it" },
};
