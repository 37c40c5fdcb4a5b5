// The search of the top bar: "/" goes there, Escape leaves it.

import { isForThePage } from "./dom.js";

export function wireSearch() {
  const field = document.querySelector("[data-search-key]");
  if (!field) return;
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || !isForThePage(event)) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !field.value) field.blur();
  });
}
