// Questions before what cannot be undone; sheets that open on a key. The browser's own <dialog> keeps the focus.

import { element, isForThePage, SINGLE_KEYS } from "./dom.js";

const press = { isDown: false, on: null }; // `on` outlives the press: its click comes later

/**
 * Now, or once the hand has let go: a sheet that opens by itself neither ends a drag nor is closed by the
 * click that ends it.
 */
export function whenLetGo(work) {
  if (!press.isDown) return void work();
  const letGo = new AbortController();
  const go = () => {
    letGo.abort();
    setTimeout(work); // after the click
  };
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, go, { signal: letGo.signal });
}

function watchPointer() {
  addEventListener("pointerdown", ({ target }) => Object.assign(press, { isDown: true, on: target }), true);
  for (const name of ["pointerup", "pointercancel"]) addEventListener(name, () => (press.isDown = false), true);
}

/** Resolves to the value of the choice taken, null when dismissed. choices: [{value, title, look}]. */
export function ask({ title, words, choices }) {
  return new Promise((resolve) => {
    const buttons = choices.map(({ value, title: name, look = "plain" }) =>
      element("button", { class: `btn btn-${look}`, type: "submit", value, text: name }),
    );
    const box = element(
      "dialog",
      { "aria-labelledby": "ask-title" },
      element("h2", { id: "ask-title", text: title }),
      ...[words].flat().map((line) => element("p", { class: "quiet", text: line })),
      element("form", { method: "dialog", class: "choices" }, ...buttons),
    );
    box.addEventListener("close", () => {
      box.remove();
      resolve(box.returnValue || null);
    });
    document.body.append(box);
    box.showModal();
    buttons.at(-1).focus();
  });
}

/** Forms with data-confirm ask first: what will be gone, and when. */
export function guardForms() {
  document.addEventListener("submit", async (event) => {
    const source = event.submitter?.dataset.confirm ? event.submitter : event.target;
    if (!source.dataset?.confirm || event.target.dataset.sure) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const { confirm: title, confirmWords = "", confirmAction = "Go on" } = source.dataset;
    const choices = [{ value: "", title: "Cancel" }, { value: "yes", title: confirmAction, look: "danger" }];
    if ((await ask({ title, words: confirmWords, choices })) !== "yes") return;
    event.target.dataset.sure = "yes";
    event.target.requestSubmit(event.submitter);
    delete event.target.dataset.sure;
  }, true);
}

/** A click beside the dialogue that began there, too: not the end of a drag. */
function isOutside({ target, clientX, clientY, detail }) {
  if (target !== press.on) return false;
  const { left, right, top, bottom } = target.getBoundingClientRect();
  return detail > 0 && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

/** Buttons with data-opens="id" open that dialog; "?" opens the sheet of keys. */
export function wireSheets() {
  watchPointer();
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-opens]");
    if (opener) document.getElementById(opener.dataset.opens).showModal();
    else if (event.target instanceof HTMLDialogElement && isOutside(event)) event.target.close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "?" || !isForThePage(event)) return;
    document.querySelector("dialog[data-keys]")?.showModal();
  });
}

/** The switch on the sheet of keys, kept in this browser. */
export function wireSingleKeys() {
  const box = document.querySelector("[data-single-keys]");
  if (!box) return;
  try {
    box.checked = localStorage.getItem(SINGLE_KEYS) !== "off";
    box.addEventListener("change", () => localStorage.setItem(SINGLE_KEYS, box.checked ? "on" : "off"));
  } catch {
    box.closest("label").hidden = true;
  }
}
