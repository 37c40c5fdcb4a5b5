// Files on their way: the queue, a row for each, the line over all of them.

import { postPicture } from "./post.js";
import { Queue } from "./queue.js";
import { Rows } from "./rows.js";
import { Total } from "./total.js";

/** Wires the section of components/uploads.html; returns how to put files into it. */
export function openDesk(progress) {
  const queue = new Queue(postPicture, { maxBytes: Number(progress.dataset.maxBytes) });
  const rows = new Rows(progress.querySelector("[data-rows-of-uploads]"), progress.dataset, (job) => queue.retry([job]));
  const total = new Total(progress, queue);
  let due = false;
  const summarise = () => {
    due = false;
    total.show();
    progress.querySelector("[data-stopped]").hidden = !queue.signedOut;
  };
  const soon = () => {
    if (!due) setTimeout(summarise, 200);
    due = true;
  };
  queue.addEventListener("job", ({ detail }) => {
    rows.show(detail);
    soon();
  });
  queue.addEventListener("idle", soon);
  progress.querySelector("[data-retry-all]").addEventListener("click", () => queue.retry());
  setInterval(() => queue.isBusy && total.show(), 1000);
  addEventListener("beforeunload", (event) => {
    if (queue.isBusy) event.preventDefault();
  });
  return (files, where) => {
    if (!files.length) return;
    document.body.classList.add("has-work");
    progress.hidden = false;
    queue.add(files, where);
    total.show();
  };
}
