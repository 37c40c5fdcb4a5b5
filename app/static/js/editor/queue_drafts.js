// Unsent changes that outlive the tab: sealed in IndexedDB, one record for each tab and set.

import { canSeal, Seal } from "./queue_seal.js";

const DATABASE = "darkroom";
const TABLE = "drafts";
/** As long as app/services/draft_keys.py keeps the keys that open them. */
export const KEPT = 30 * 86_400_000;

const answered = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** The records of this browser, whoever they are of: {name, key, where, body, at, count}. */
export class Records {
  async #table(mode) {
    this.database ??= await this.#open();
    return this.database.transaction(TABLE, mode, { durability: "strict" }).objectStore(TABLE);
  }

  async #open() {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE, { keyPath: "name" });
    const database = await answered(request);
    // Signing out clears what is stored; the next write opens it anew.
    database.onclose = () => (this.database = null);
    database.onversionchange = () => (database.close(), (this.database = null));
    return database;
  }

  async all() {
    return answered((await this.#table("readonly")).getAll());
  }

  async put(record) {
    await answered((await this.#table("readwrite")).put(record));
  }

  async remove(name) {
    await answered((await this.#table("readwrite")).delete(name));
  }
}

/** Names of records whose tab is open: each holds a lock of its name as long as it lives. */
async function held() {
  const { held: locks } = await navigator.locks.query();
  return new Set(locks.map(({ name }) => name));
}

/** One person's drafts. `place` is {set, image}: the set's address, and the picture's id. */
export class Drafts {
  /** Of {user, keys} as the server tells; null where the browser cannot seal. */
  static async open({ user, keys }, tab, now = Date.now) {
    if (!canSeal()) return null;
    return new Drafts(user, await Promise.all(keys.map((key) => Seal.from(key))), tab, now);
  }

  constructor(user, seals, tab, now) {
    Object.assign(this, { user, seals, tab, now });
    this.records = new Records();
  }

  #about(set) {
    return `darkroom/draft/v1|${this.user}|${set}`;
  }

  /** Says which record this tab writes, and that the tab lives. */
  async claim(place) {
    this.place = place;
    this.name = await this.seals[0].name(`${this.user}|${place.set}|${this.tab}`);
    await new Promise((taken) => {
      navigator.locks.request(this.name, () => (taken(), new Promise(() => {}))).catch(taken);
    });
  }

  /** Keeps `snapshot` of `count` changes in the place of what was kept; null: nothing waits any more. */
  async keep(snapshot, count) {
    if (!snapshot) return this.records.remove(this.name);
    const [seal] = this.seals;
    const where = await seal.close(this.place, this.#about(""));
    const body = await seal.close(snapshot, this.#about(this.place.set));
    return this.records.put({ name: this.name, key: seal.id, where, body, at: this.now(), count });
  }

  remove(name) {
    return this.records.remove(name);
  }

  /**
   * {found: [{name, place, snapshot, count, at}], dropped}: this person's, of tabs that are gone (with
   * `living` of those that are open too), oldest first. What is too old (anybody's) or does not open is removed; `dropped` counts this person's changes in it.
   */
  async find({ living: withLiving = false } = {}) {
    const living = withLiving ? new Set() : await held();
    const found = [];
    let dropped = 0;
    for (const record of await this.records.all()) {
      if (record.name === this.name || living.has(record.name)) continue;
      const seal = this.seals.find(({ id }) => id === record.key);
      const opened = this.now() - record.at < KEPT ? seal && (await this.#open(record, seal)) : null;
      if (opened) found.push(opened);
      else if (opened === null) {
        await this.remove(record.name);
        if (seal) dropped += record.count;
      }
    }
    return { found: found.sort((a, b) => a.at - b.at), dropped };
  }

  async #open({ name, where, body, at, count }, seal) {
    try {
      const place = await seal.open(where, this.#about(""));
      return { name, place, at, count, snapshot: await seal.open(body, this.#about(place.set)) };
    } catch {
      return null;
    }
  }

  /** Removes what anybody kept here. */
  async clear() {
    for (const { name } of await this.records.all()) await this.remove(name);
  }

  /** {mine, others}: how many changes wait in this browser, in tabs that live too. */
  async waiting() {
    const ids = new Set(this.seals.map(({ id }) => id));
    const count = { mine: 0, others: 0 };
    for (const record of await this.records.all()) count[ids.has(record.key) ? "mine" : "others"] += record.count;
    return count;
  }
}
