// Sends a draft of a picture that is not open here.

import { OpQueue } from "./queue.js";
import { newId } from "./store.js";

/** All of it by `patch(body)`; throws Refusal where the server does not take it as it is. */
export async function sendDraft({ snapshot }, patch) {
  const queue = new OpQueue(newId);
  queue.restore(snapshot);
  for (let body = queue.take(); body; body = queue.take()) {
    const { count } = queue;
    const { data } = await patch(body);
    queue.confirm(data.applied);
    if (queue.count === count) throw new Error("The server did not do what it was sent.");
  }
}
