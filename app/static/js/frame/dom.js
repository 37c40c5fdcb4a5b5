// Making elements without markup strings.

const SVG = "http://www.w3.org/2000/svg";

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "text") node.textContent = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export const element = (tag, attributes = {}, ...children) => fill(document.createElement(tag), attributes, children);
export const shape = (tag, attributes = {}, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);

/** The drawings as the page holds them, once it does (`sprite.js`), else the file. */
function drawing(name) {
  const { icons, heldIcons } = document.body.dataset;
  return heldIcons ? `#${heldIcons}${name}` : `${icons}#${name}`;
}

export function icon(name) {
  return shape(
    "svg",
    { class: "icon", "aria-hidden": "true", width: 16, height: 16 },
    shape("use", { href: drawing(name) }),
  );
}

export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

const isTyping = (target) =>
  target.closest?.("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");

export const SINGLE_KEYS = "single-keys";

function singleKeysAreOff() {
  try {
    return localStorage.getItem(SINGLE_KEYS) === "off";
  } catch {
    return false;
  }
}

/** Whether a key is meant for the page: not while typing, not over an open dialogue or menu, and no
    single letters for those who switched them off (speech input types letters by accident). */
export function isForThePage(event) {
  if (isTyping(event.target)) return false;
  if (document.querySelector("dialog[open], .dropdown-menu.show")) return false;
  const isLetter = event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey;
  return !(isLetter && singleKeysAreOff());
}

/** Calls `work` once `wait` milliseconds after the last call. */
export function settle(work, wait) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), wait);
  };
}
