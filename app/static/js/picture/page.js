// One picture: keys, zoom, panel, tags.

import { isForThePage } from "../frame/dom.js";
import { showPrint } from "../frame/print.js";
import { fadeWhenIdle, Panel } from "./panel.js";
import { Tags } from "./tags.js";
import { Zoom } from "./zoom.js";

const main = document.querySelector("main");
const stage = main.querySelector("[data-stage]");
const zoom = stage.querySelector("[data-print]") && new Zoom(stage);
const panel = new Panel(main);
const press = (selector) => main.querySelector(selector)?.click();

function toggleFullScreen() {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.documentElement.requestFullscreen?.();
}

/** Back where one came from if that was the gallery, so that its place is kept. */
function goBack(event) {
  const link = main.querySelector("[data-back]");
  const from = document.referrer && new URL(document.referrer);
  const cameFromThere = from && from.origin === location.origin && from.pathname === link.pathname;
  if (cameFromThere && history.length > 1) {
    event?.preventDefault();
    history.back();
  } else if (!event) link.click();
}

const KEYS = {
  ArrowLeft: () => press("[data-newer]"),
  ArrowRight: () => press("[data-older]"),
  Escape: () => (panel.isOpen && matchMedia("(max-width: 900px)").matches ? panel.toggle() : goBack()),
  i: () => panel.toggle(),
  e: () => press("[data-label]"),
  f: toggleFullScreen,
  z: () => zoom?.toggle(),
  "+": () => zoom?.closer(),
  "=": () => zoom?.closer(),
  "-": () => zoom?.further(),
  Delete: () => press("[data-trash]"),
};

document.addEventListener("keydown", (event) => {
  if (!isForThePage(event) || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

function wireZoom() {
  const button = main.querySelector("[data-zoom]");
  button.addEventListener("click", () => zoom.toggle());
  zoom.addEventListener("change", () => button.setAttribute("aria-pressed", String(!zoom.fitted)));
  showPrint(stage, zoom);
  swipe();
}

/** A flick to the side turns to the next picture, on touch, while the whole picture is shown. */
function swipe() {
  let start = null;
  stage.addEventListener("pointerdown", (event) => (start = event.isPrimary && event.pointerType === "touch" && zoom.fitted ? event : null));
  stage.addEventListener("pointerup", (event) => {
    if (!start || !zoom.fitted) return;
    const [x, y] = [event.clientX - start.clientX, event.clientY - start.clientY];
    if (Math.abs(x) > 60 && Math.abs(x) > 2 * Math.abs(y)) press(x < 0 ? "[data-older]" : "[data-newer]");
    start = null;
  });
}

if (zoom) wireZoom();
main.querySelector("[data-full-screen]")?.addEventListener("click", toggleFullScreen);
document.addEventListener("fullscreenchange", () => main.querySelector("[data-full-screen]")?.setAttribute("aria-pressed", String(document.fullscreenElement !== null)));
main.querySelector("[data-back]").addEventListener("click", goBack);
const tags = main.querySelector("[data-tags]");
if (tags) new Tags(tags);
fadeWhenIdle(main);
