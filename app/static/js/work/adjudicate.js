// Shows on the picture which thing a choice is about, and keeps the two in step.

import { all } from "../frame/dom.js";

const drawn = new Map(all("[data-thing]").map((group) => [group.dataset.thing, group]));

for (const field of all("[data-for]")) {
  const group = drawn.get(field.dataset.for);
  const show = (on) => {
    group?.classList.toggle("is-on", on);
    if (on) group?.parentNode.append(group);
  };
  for (const name of ["pointerenter", "focusin"]) field.addEventListener(name, () => show(true));
  for (const name of ["pointerleave", "focusout"]) field.addEventListener(name, () => show(false));
  group?.addEventListener("click", () => field.querySelector("input").focus());
}
