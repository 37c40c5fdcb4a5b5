// Brightness and contrast of the picture on this screen; the picture itself is not changed.

const PLAIN = 100;

export class Light {
  constructor(panel, images, button) {
    Object.assign(this, { panel, images, button });
    this.fields = [...panel.querySelectorAll("input[type=range]")];
    panel.addEventListener("input", () => this.#show());
    panel.addEventListener("reset", () => setTimeout(() => this.#show()));
    panel.addEventListener("submit", (event) => (event.preventDefault(), this.toggle()));
    panel.addEventListener("keydown", (event) => event.key === "Escape" && this.toggle());
  }

  toggle() {
    const { panel } = this;
    panel.hidden = !panel.hidden;
    this.button.setAttribute("aria-expanded", String(!panel.hidden));
    (panel.hidden ? this.button : this.fields[0]).focus({ preventScroll: true });
  }

  #show() {
    const [brightness, contrast] = this.fields.map((field) => Number(field.value));
    const plain = brightness === PLAIN && contrast === PLAIN;
    for (const image of this.images) image.style.filter = plain ? "" : `brightness(${brightness}%) contrast(${contrast}%)`;
    this.fields.forEach((field) => (field.nextElementSibling.textContent = `${field.value} %`));
    this.button.classList.toggle("is-on", !plain);
  }
}
