// What is hidden or locked on this screen. Nobody else sees it, and it is not saved.

/** Event "change" {ids}: these are shown or held otherwise. */
export class Layers extends EventTarget {
  constructor(store) {
    super();
    this.store = store;
    this.hidden = new Set();
    this.locked = new Set();
  }

  isHidden = (id) => this.hidden.has(id);
  isLocked = (id) => this.locked.has(id);

  /** Those that a pointer can take. */
  get reachable() {
    if (!this.hidden.size && !this.locked.size) return this.store.list;
    return this.store.list.filter(({ id }) => !this.hidden.has(id) && !this.locked.has(id));
  }

  #toggle(set, id) {
    if (id) {
      if (!set.delete(id)) set.add(id);
      return this.#tell([id]);
    }
    const { ids } = this.store;
    if (set.size) set.clear();
    else for (const one of ids) set.add(one);
    return this.#tell(ids);
  }

  /** One annotation, or (null) all: shown again if any is hidden, else all are hidden. */
  hide = (id) => this.#toggle(this.hidden, id);

  /** One annotation, or (null) all. A locked one is not moved, changed or removed. */
  lock = (id) => this.#toggle(this.locked, id);

  #tell(ids) {
    this.dispatchEvent(new CustomEvent("change", { detail: { ids } }));
  }
}
