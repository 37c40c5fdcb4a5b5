// A line at the corner that says what happened, with a way back where there is one.

import { element, icon } from "./dom.js";

const LINGER = 6000;

/** Shows `words`; `action` is {title, run}. Stays while the pointer or the focus is on it. */
export function toast(words, { action = null, linger = LINGER } = {}) {
  const close = () => line.remove();
  const line = element(
    "div",
    { class: "toast-line" },
    element("span", { class: "words", text: words }),
    action && element("button", { class: "btn btn-ghost btn-small", type: "button", text: action.title, onclick: () => (close(), action.run()) }),
    element("button", { class: "btn btn-ghost btn-small btn-icon close", type: "button", "aria-label": "Close", onclick: close }, icon("x-lg")),
  );
  document.querySelector("[data-toasts]").append(line);
  const fade = () => (line.matches(":hover, :focus-within") ? setTimeout(fade, 1500) : close());
  setTimeout(fade, action ? linger * 1.7 : linger);
  return close;
}
