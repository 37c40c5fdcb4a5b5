// Keeps what waits over a closed tab, a crash and a restart; goes on with it at the next start.

import { toast } from "../frame/toast.js";
import { Refusal } from "../frame/http.js";
import { Drafts } from "./queue_drafts.js";
import { sendDraft } from "./queue_send.js";
import { changes } from "./queue_words.js";

const MONTH = "older than 30 days or not readable any more";

/** Writes the queue of `sync` into `drafts`: one write at a time, always of the latest. */
export class Keeper {
  constructor(sync, drafts, place) {
    Object.assign(this, { sync, drafts, place, stale: false });
    sync.addEventListener("phase", () => this.#keep());
    sync.addEventListener("empty", () => this.adopt());
  }

  /** Null where the browser cannot seal. Throws Refusal while the server does not give them the keys. */
  static async start(sync, place) {
    const told = await sync.wire.who();
    if (told.user !== sync.user) throw new Refusal(401);
    const drafts = await Drafts.open(told, sync.tab);
    if (!drafts) return null;
    await drafts.claim(place);
    const keeper = new Keeper(sync, drafts, place);
    keeper.#keep();
    await keeper.#look();
    return keeper;
  }

  #keep() {
    this.stale = true;
    this.sync.kept ??= this.#write().finally(() => (this.sync.kept = null));
  }

  async #write() {
    while (this.stale) {
      this.stale = false;
      // A full disk or a private window: the changes wait in the tab alone, as the warning on leaving says.
      await this.drafts.keep(this.sync.queue.snapshot(), this.sync.queue.count).catch(() => {});
    }
  }

  async #look() {
    const { found, dropped } = await this.drafts.find();
    if (dropped) toast(`${changes(dropped)} that waited in this browser ${dropped === 1 ? "was" : "were"} ${MONTH}, and dropped.`);
    this.left = found.filter(({ place }) => place.set === this.place.set);
    await this.adopt();
    for (const draft of found) if (draft.place.set !== this.place.set) await this.#forward(draft);
  }

  /** Goes on with the oldest that another tab left of this picture; the next when nothing waits any more. */
  async adopt() {
    if (this.sync.isDirty || !this.left?.length) return;
    const { name, snapshot, count } = this.left.shift();
    toast(`${changes(count)} from before ${count === 1 ? "is" : "are"} sent now.`);
    const sent = this.sync.adopt(snapshot);
    await this.sync.kept;
    await this.drafts.remove(name);
    await sent;
  }

  /** Another picture's: sent behind; what does not go through by itself is offered where it is drawn. */
  async #forward({ name, place, snapshot, count }) {
    try {
      await sendDraft({ snapshot }, (body) => this.sync.wire.patch(body, place.set));
      await this.drafts.remove(name);
      toast(`${changes(count)} of another picture that waited here ${count === 1 ? "is" : "are"} saved.`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      await this.#offer(error, { name, place, count });
    }
  }

  async #offer({ status, isPassing }, { name, place, count }) {
    if (isPassing || status === 401) return;
    if (status === 404) {
      await this.drafts.remove(name);
      toast(`${changes(count)} that waited here ${count === 1 ? "was" : "were"} of a picture that is gone, and dropped.`);
      return;
    }
    const run = () => location.assign(place.page);
    toast(`${changes(count)} of another picture wait here for a decision.`, { action: { title: "Open it", run }, linger: 20_000 });
  }
}
