// Before signing out: what waits in this browser is sent, or given up knowingly.

import { ask } from "../frame/dialogue.js";
import { api } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { Drafts } from "./queue_drafts.js";
import { sendDraft } from "./queue_send.js";
import { Wire } from "./queue_wire.js";
import { changes } from "./queue_words.js";

const CHOICES = [
  { value: "lose", title: "Sign out and lose them", look: "danger" },
  { value: "", title: "Stay" },
  { value: "send", title: "Save them, then sign out", look: "primary" },
];

function question({ mine, others }) {
  const words = ["They wait in this browser, and signing out removes them from it."];
  if (others) words.push(`${changes(others)} of another account ${others === 1 ? "waits" : "wait"} here too and would be lost with them.`);
  return { title: `${changes(mine || others)} ${mine + others === 1 ? "is" : "are"} not saved yet`, words, choices: mine ? CHOICES : CHOICES.slice(0, 2) };
}

/** Sends what waits; true when nothing is left. */
async function send(wire, drafts) {
  const { found } = await drafts.find({ living: true });
  let left = 0;
  for (const draft of found) {
    const isSent = await sendDraft(draft, (body) => wire.patch(body, draft.place.set)).then(() => true, () => false);
    if (isSent) await drafts.remove(draft.name);
    else left += draft.count;
  }
  if (left) toast(`${changes(left)} could not be saved. Open the picture to see why.`);
  return left === 0;
}

/** Asks where something waits; resolves to whether to sign out. */
export async function settleDrafts() {
  const wire = new Wire({ keyUrl: api("/sessions/draft-key") });
  const drafts = await Drafts.open(await wire.who(), "");
  const count = await drafts?.waiting();
  if (!count || count.mine + count.others === 0) return true;
  const answer = await ask(question(count));
  if (answer === "send") return send(wire, drafts);
  if (answer === "lose") await drafts.clear();
  return answer === "lose";
}
