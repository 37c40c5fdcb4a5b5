// What every page has: menus by Bootstrap, theme, own clock, offline bar, sheets, questions.

import { guardForms, wireSheets, wireSingleKeys } from "./dialogue.js";
import { all } from "./dom.js";
import { send } from "./http.js";
import { wireSearch } from "./search.js";
import { guardSignOut } from "./sign_out.js";
import { localiseTimes } from "./times.js";
import { toast } from "./toast.js";

const YEAR = 31536000;

function applyTheme(theme) {
  const root = document.documentElement;
  if (theme === "system") root.removeAttribute("data-bs-theme");
  else root.setAttribute("data-bs-theme", theme);
  document.cookie = `theme=${theme}; path=/; max-age=${YEAR}; samesite=lax`;
}

function wireTheme() {
  const form = document.querySelector("[data-theme-form]");
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    const theme = event.submitter.value;
    applyTheme(theme);
    for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button.value === theme));
    const body = new FormData(form, event.submitter);
    send(form.getAttribute("action"), { method: "POST", form: body }).catch(() => toast("The theme is kept in this browser only for now."));
  });
}

function wireReveal() {
  for (const button of all("[data-reveal]")) {
    const input = document.getElementById(button.dataset.reveal);
    button.addEventListener("click", () => {
      const show = input.type === "password";
      input.type = show ? "text" : "password";
      button.setAttribute("aria-pressed", String(show));
    });
  }
}

function wireOffline() {
  const bar = document.querySelector("[data-offline]");
  const tell = () => (bar.hidden = navigator.onLine);
  addEventListener("online", tell);
  addEventListener("offline", tell);
  tell();
}

function wireCopy() {
  for (const button of all("[data-copies]")) {
    button.addEventListener("click", async () => {
      const field = document.getElementById(button.dataset.copies);
      field.select();
      await navigator.clipboard?.writeText(field.value).then(() => toast("Copied."), () => toast("Press Ctrl+C to copy."));
    });
  }
}

/** A list of choices that is sent as soon as one is chosen; without modules there is a button. */
function wireAutoSubmit() {
  for (const select of all("select[data-auto-submit]")) select.addEventListener("change", () => select.form.requestSubmit());
}

wireTheme();
wireAutoSubmit();
wireReveal();
wireOffline();
wireCopy();
guardForms();
guardSignOut();
wireSheets();
wireSingleKeys();
wireSearch();
localiseTimes();
document.querySelector("[data-summary]")?.focus();
