// Tags as chips: typed ones are added, the cross takes one away; the form sends the whole set.

import { element, icon } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { toast } from "../frame/toast.js";

const split = (text) => text.split(",").map((tag) => tag.trim()).filter(Boolean);

export class Tags {
  constructor(root) {
    this.list = root.querySelector("[data-chips]");
    this.form = root.querySelector("[data-tag-form]");
    if (!this.form) return;
    this.input = this.form.elements.tags;
    this.input.value = "";
    for (const chip of this.list.children) this.#giveCross(chip);
    this.input.addEventListener("keydown", (event) => event.key === "Escape" && this.input.blur());
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.add(split(this.input.value));
    });
  }

  get names() {
    return [...this.list.children].map((chip) => chip.dataset.tag);
  }

  #giveCross(chip) {
    const name = chip.dataset.tag;
    const remove = () => this.save(this.names.filter((one) => one !== name));
    chip.append(element("button", { type: "button", "aria-label": `Remove the tag ${name}`, onclick: remove }, icon("x")));
  }

  add(names) {
    if (names.length) this.save([...new Set([...this.names, ...names])]).then((ok) => ok && (this.input.value = ""));
  }

  /** Sends the whole set and shows what the server made of it. */
  async save(names) {
    const body = new FormData(this.form);
    body.set("tags", names.join(", "));
    try {
      const { data } = await send(this.form.getAttribute("action"), { method: "POST", form: body });
      this.#show(data.tags);
      return true;
    } catch (error) {
      toast(error.message);
      return false;
    }
  }

  #show(names) {
    const known = new Map([...this.list.children].map((chip) => [chip.dataset.tag, chip]));
    this.list.replaceChildren(...names.map((name) => {
      if (known.has(name)) return known.get(name);
      const chip = element("li", { class: "chip", "data-tag": name }, name);
      this.#giveCross(chip);
      return chip;
    }));
    this.input.focus();
  }
}
