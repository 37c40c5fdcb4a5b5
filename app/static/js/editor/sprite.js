// The drawings of all icons, held by the page: a browser fetches them anew for what is drawn while nobody answers, and draws nothing.

const PREFIX = "icon-";

/** From then on `icon` of frame/dom.js takes them from the page. */
export async function holdSprite() {
  const response = await fetch(document.body.dataset.icons, { credentials: "same-origin" });
  if (!response.ok) return;
  const sprite = document.importNode(new DOMParser().parseFromString(await response.text(), "image/svg+xml").documentElement, true);
  for (const symbol of sprite.querySelectorAll("symbol")) symbol.id = PREFIX + symbol.id;
  for (const [name, value] of [["width", 0], ["height", 0], ["aria-hidden", "true"], ["class", "held-icons"]]) sprite.setAttribute(name, value);
  document.body.append(sprite);
  document.body.dataset.heldIcons = PREFIX;
}
