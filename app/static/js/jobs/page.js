// The list of jobs keeps itself up to date: every two seconds while something is open and seen.

import { fetchPage } from "../frame/http.js";
import { localiseTimes } from "../frame/times.js";

const WHILE_OPEN = 2000;
const AFTER_A_FAULT = 10000;

const list = () => document.querySelector("[data-jobs]");
const isOpen = () => Number(list().dataset.open) > 0;

/** Puts the fresh list in place of the old one, and the focus back to where it was. */
function replace(fresh) {
  const held = document.activeElement;
  const job = held?.closest?.("[data-job]")?.dataset.job;
  const label = held?.getAttribute("aria-label");
  list().replaceWith(fresh);
  localiseTimes(fresh);
  if (!job) return;
  const line = fresh.querySelector(`[data-job="${job}"]`);
  const same = [...(line?.querySelectorAll("a, button") ?? [])].find((one) => one.getAttribute("aria-label") === label);
  (same ?? line?.querySelector("a, button"))?.focus();
}

async function refresh() {
  if (document.hidden || document.querySelector("dialog[open]")) return WHILE_OPEN;
  try {
    const page = await fetchPage(location.href);
    const fresh = page.querySelector("[data-jobs]");
    if (fresh && fresh.innerHTML !== shown) {
      shown = fresh.innerHTML;
      replace(document.adoptNode(fresh));
    }
    return WHILE_OPEN;
  } catch {
    return AFTER_A_FAULT;
  }
}

let shown = list().innerHTML;

async function watch() {
  let pause = WHILE_OPEN;
  while (isOpen()) {
    await new Promise((resolve) => setTimeout(resolve, pause));
    pause = await refresh();
  }
}

watch();
