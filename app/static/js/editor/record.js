// The page of keys: a key can be pressed instead of typed. Without this module one types, as before.

import { all, element } from "../frame/dom.js";
import { keyOf } from "./keymap.js";

const ASK = "Press a key";
const NOW = "Press it now";
const ALONE = new Set(["Shift", "Control", "Alt", "Meta", "AltGraph", "Dead", "CapsLock", "Unidentified"]);

function added(field, key) {
  const keys = field.value.split(" ").filter(Boolean);
  if (!keys.includes(key)) field.value = [...keys, key].join(" ");
}

/** Puts a button behind a field; after a press of it the next key is written into the field. */
function offer(field) {
  const words = field.labels[0].textContent.trim();
  const button = element("button", { class: "btn btn-plain btn-small", type: "button", text: ASK, "aria-label": `${ASK}: ${words}` });
  const listen = (on) => {
    button.textContent = on ? NOW : ASK;
    button.setAttribute("aria-label", `${on ? NOW : ASK}: ${words}`);
    document[on ? "addEventListener" : "removeEventListener"]("keydown", take, true);
  };
  const take = (event) => {
    if (ALONE.has(event.key)) return;
    const key = keyOf(event);
    listen(false);
    // Tab goes on to the next field, Esc leaves it as it is: both keep their meaning.
    if (key.endsWith("Tab")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (key !== "Escape") added(field, key);
  };
  button.addEventListener("click", () => listen(true));
  button.addEventListener("blur", () => listen(false));
  field.after(button);
}

all("[data-key-field]").forEach(offer);
