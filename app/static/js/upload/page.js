// The upload page: from a drop or a choice of files to rows that say what becomes of them.

import { endOfDay, today } from "./days.js";
import { openDesk } from "./desk.js";
import { filesOfField, takeDrops } from "./files.js";

const form = document.querySelector("[data-upload]");
const put = openDesk(document.querySelector("[data-progress]"));

const where = () => ({
  collection: form.elements.collection.value,
  tags: form.elements.tags.value.trim(),
  keepUntil: endOfDay(form.elements.expires_at.value),
});

const take = (files) => form.elements.expires_at.reportValidity() && put(files, where());

function wireFields() {
  form.elements.expires_at.min = today();
  const folder = document.getElementById("field-folder");
  form.querySelector("[data-pick-folder]").addEventListener("click", () => folder.click());
  for (const field of [document.getElementById("field-files"), folder]) {
    const choose = () => {
      take(filesOfField(field));
      field.value = "";
    };
    field.addEventListener("change", choose);
    if (field.files.length > 0) choose(); // the hand was quicker than this script
  }
  form.addEventListener("submit", (event) => event.preventDefault());
}

wireFields();
takeDrops(document.querySelector("[data-drop-veil]"), take);
