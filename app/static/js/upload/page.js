// The upload page: from a drop or a choice of files to rows that say what becomes of them.

import { endOfDay, today } from "./days.js";
import { filesOfField, takeDrops } from "./files.js";
import { postPicture } from "./post.js";
import { Queue } from "./queue.js";
import { Rows } from "./rows.js";
import { Total } from "./total.js";

const form = document.querySelector("[data-upload]");
const progress = document.querySelector("[data-progress]");
const queue = new Queue(postPicture, { maxBytes: Number(form.dataset.maxBytes) });
const rows = new Rows(progress.querySelector("[data-rows-of-uploads]"), form.dataset, (job) => queue.retry([job]));
const total = new Total(progress, queue);

const where = () => ({
  collection: form.elements.collection.value,
  tags: form.elements.tags.value.trim(),
  keepUntil: endOfDay(form.elements.expires_at.value),
});

function take(files) {
  if (!files.length || !form.elements.expires_at.reportValidity()) return;
  document.body.classList.add("has-work");
  progress.hidden = false;
  queue.add(files, where());
  total.show();
}

function wireFields() {
  form.elements.expires_at.min = today();
  const folder = document.getElementById("field-folder");
  form.querySelector("[data-pick-folder]").addEventListener("click", () => folder.click());
  for (const field of [document.getElementById("field-files"), folder]) {
    field.addEventListener("change", () => {
      take(filesOfField(field));
      field.value = "";
    });
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}

function wireQueue() {
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
}

wireFields();
wireQueue();
takeDrops(document.querySelector("[data-drop-veil]"), take);
addEventListener("beforeunload", (event) => {
  if (queue.isBusy) event.preventDefault();
});
