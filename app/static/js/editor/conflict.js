// Somebody else saved the same picture: three ways on, none of which loses a box unseen.

import { ask } from "../frame/dialogue.js";
import { difference, mergeSets } from "./merge.js";

function inWords({ added, changed, removed }) {
  const parts = [[added, "added"], [changed, "changed"], [removed, "removed"]].filter(([count]) => count).map(([count, word]) => `${count} ${word}`);
  return parts.length ? parts.join(", ") : "nothing but its state";
}

/** Asks until there is an answer: leaving the question open would leave the boxes unsaved. */
export async function settleConflict(sync, store, theirs) {
  const mine = { state: store.state, annotations: store.list };
  const words = [
    "Nothing is lost. Since you both began with the same boxes:",
    `They: ${inWords(difference(sync.base, theirs))}. You: ${inWords(difference(sync.base, mine))}.`,
    "Keeping both takes every change; where you both changed one box, yours stands. You can undo it.",
  ];
  const choices = [
    { value: "theirs", title: "Take theirs" },
    { value: "mine", title: "Keep mine" },
    { value: "both", title: "Keep both", look: "primary" },
  ];
  let answer = null;
  while (!answer) answer = await ask({ title: "Somebody else saved this picture", words, choices });
  if (answer === "theirs") return sync.settle(theirs);
  if (answer === "mine") return sync.settle(null);
  return sync.settle(mergeSets(sync.base, mine, theirs));
}
