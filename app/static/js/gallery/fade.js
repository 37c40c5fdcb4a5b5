// A thumbnail fades in over its placeholder; one that the browser had already is simply there.

import { element, icon } from "../frame/dom.js";

const isThumb = (target) => target instanceof HTMLImageElement && target.classList.contains("thumb");

function settleExisting(root) {
  for (const image of root.querySelectorAll("img.thumb")) {
    if (image.complete && image.naturalWidth) image.classList.add("is-there", "was-there");
  }
}

function showMissing(image) {
  const link = image.closest(".tile-link");
  if (!link || link.querySelector(".tile-broken")) return;
  link.append(
    element("span", { class: "tile-broken" }, icon("exclamation-triangle"), element("span", { text: "not loaded" })),
  );
  image.remove();
}

export function fadeIn(root = document) {
  root.addEventListener("load", ({ target }) => isThumb(target) && target.classList.add("is-there"), true);
  root.addEventListener("error", ({ target }) => isThumb(target) && showMissing(target), true);
  settleExisting(root);
}
