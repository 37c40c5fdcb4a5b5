// A drop on the gallery goes into the collection that is shown, with its progress above the pictures.

import { openDesk } from "../upload/desk.js";
import { takeDrops } from "../upload/files.js";

const progress = document.querySelector("[data-progress]");
if (progress) {
  const put = openDesk(progress);
  takeDrops(document.querySelector("[data-drop-veil]"), (files) => {
    put(files, { collection: progress.dataset.collection });
    scrollTo({ top: 0 });
  });
}
