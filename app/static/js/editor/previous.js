// The annotations of the picture that was labelled before, copied here as one step.

import { send } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { broughtIn } from "./shapes.js";
import { isSame } from "./store.js";
import { itemOf } from "./wire.js";

const many = (count) => (count === 1 ? "1 annotation" : `${count} annotations`);

/** Only what is not here already: the command given twice makes no twins. */
export function copiesOf(annotations, items, picture) {
  return annotations
    .map(itemOf)
    .map(({ box, shape, label, attributes, frame }) => ({ box, shape, label, attributes, frame }))
    .map((one) => ({ ...one, ...broughtIn(one, picture) }))
    .filter((one) => !items.some((item) => isSame(item, one)));
}

export class Previous {
  constructor(url, { store, labels, picture, announce }) {
    Object.assign(this, { url, store, labels, picture, announce });
  }

  #say(words) {
    toast(words);
    this.announce(words);
  }

  /** Undone by one step; says how many came. */
  async copy() {
    if (!this.url) return this.#say("There is no newer picture here to copy from.");
    let found;
    try {
      found = (await send(this.url)).data.annotations;
    } catch (error) {
      return this.#say(`Nothing was copied: ${error.message}`);
    }
    this.labels.meet(found);
    const copies = copiesOf(found, this.store.list, this.picture);
    if (!copies.length) return this.#say(found.length ? "All of the newer picture is here already." : "The newer picture has nothing to copy.");
    this.store.addAll(copies, "paste");
    return this.#say(`${many(copies.length)} copied from the newer picture. Undo takes them back.`);
  }
}
