// Submit, skip, review and the way to the next picture.

import { all, element } from "../frame/dom.js";
import { send } from "../frame/http.js";
import { toast } from "../frame/toast.js";
import { bandOf, lackOf, QUESTIONS } from "./task_words.js";

const BEAT = 60000;
const READ_ONLY = ["done", "accepted"];

class Task {
  constructor(context) {
    Object.assign(this, context);
    const { taskUrl, nextUrl, homeUrl, labelsUrl } = this.root.dataset;
    Object.assign(this, { url: taskUrl, nextUrl, home: homeUrl, members: labelsUrl?.replace(/\/labels$/, "/members") });
    this.tools = this.root.querySelector("[data-task]");
    this.band = this.root.querySelector("[data-task-band]");
    this.ask = this.root.querySelector("[data-task-ask]");
    this.writes = this.root.hasAttribute("data-can-write");
  }

  async begin() {
    for (const button of all("[data-task-do]", this.root)) button.addEventListener("click", () => this.run(button.dataset.taskDo));
    this.root.querySelector("[data-done]")?.remove();
    this.tools.hidden = false;
    Object.assign(this.actions ?? {}, { done: () => this.run(this.can("reopen") ? "reopen" : "stay"), doneAndOn: () => this.run("submit") });
    await this.read();
    if (this.writes && !READ_ONLY.includes(this.task.state)) await this.take();
    this.beat();
  }

  can(what) {
    return this.task?.can.includes(what) ?? false;
  }

  async read() {
    this.show((await send(`${this.url}/task`)).data);
  }

  /** Opening a picture takes it, where nobody has it. */
  async take() {
    const { holder, assignee } = this.task;
    const others = [holder, assignee].some((person) => person && !person.you);
    if (!this.root.dataset.pictureUrl || others) return;
    await send(`${this.url}/lease`, { method: "POST" }).then(({ data }) => this.show(data)).catch(() => {});
  }

  /** A sign of work each minute, while somebody is at it: no key or pointer, no sign. */
  beat() {
    let used = false;
    for (const name of ["pointermove", "pointerdown", "keydown", "wheel"]) addEventListener(name, () => (used = true), { passive: true });
    setInterval(() => {
      if (used && !document.hidden && this.writes && !READ_ONLY.includes(this.task?.state)) this.take();
      used = false;
    }, BEAT);
  }

  show(task) {
    this.task = task;
    for (const button of all("[data-task-do]", this.root)) {
      const what = button.dataset.taskDo;
      button.hidden = what !== "next" && !this.can(what === "stay" ? "submit" : what);
    }
    this.root.querySelector('[data-task-do="next"]').hidden = !this.nextUrl || !this.writes;
    const said = bandOf(task, !this.root.dataset.pictureUrl);
    this.band.hidden = !said;
    this.band.dataset.look = said?.look ?? "";
    const words = this.root.querySelector("[data-task-words]");
    words.textContent = said?.words ?? "";
    // What is longer than its room is read on by keys too.
    words.removeAttribute("tabindex");
    if (words.scrollHeight > words.clientHeight) words.tabIndex = 0;
  }

  /** Everything is on the server before a word is said about it; false when it is not. */
  async saved() {
    await (this.sync.flush ? this.sync.flush() : this.sync.save());
    if (!this.sync.isDirty && this.sync.phase !== "conflict") return true;
    toast("Not everything is saved yet, so nothing was submitted. Try again in a moment.");
    return false;
  }

  async run(what) {
    if (what !== "next" && !this.can(what === "stay" ? "submit" : what)) return;
    if (this.busy) return;
    this.busy = true;
    try {
      await this[what]();
    } catch (error) {
      this.refused(error, what);
      await this.read().catch(() => {});
    } finally {
      this.busy = false;
    }
  }

  /** Says what the server said; what lacks an attribute is selected, with its field at hand. */
  refused(error, deed) {
    const lack = lackOf(error, this.store.list);
    if (!lack) return toast(error.message);
    this.store.select(lack.item.id);
    this.root.querySelector("[data-attributes] form").elements[lack.attribute]?.focus();
    return toast(lack.words(this.labels.name(lack.item.label) ?? "This", deed));
  }

  async post(what, json) {
    return (await send(`${this.url}/${what}`, { method: "POST", json })).data;
  }

  async submit() {
    if (!(await this.saved())) return;
    this.show(await this.post("submit"));
    this.announce("Submitted.");
    await this.next(false);
  }

  async stay() {
    if (!(await this.saved())) return;
    await this.post("submit");
    location.reload();
  }

  async skip() {
    const reason = await this.question("skip");
    if (reason === null || !(await this.saved())) return;
    await this.post("skip", { reason });
    await this.next(false);
  }

  async reopen() {
    await this.post("reopen");
    location.reload();
  }

  async accept() {
    if (!(await this.saved())) return;
    await this.post("review", { verdict: "accept" });
    await this.next(false, "done");
  }

  async reject() {
    const reason = await this.question("reject");
    if (reason === null || !(await this.saved())) return;
    await this.post("review", { verdict: "reject", reason });
    await this.next(false, "done");
  }

  async assign() {
    await this.fillMembers();
    const person = await this.question("assign");
    if (person !== null) this.show(await this.post("assign", { user_id: person || null }));
  }

  async release() {
    if (!(await this.saved())) return;
    await this.post("release");
    location.assign(this.home);
  }

  /** Opens the next picture; without one, the page that all pictures are on. */
  async next(passOver = true, state = null) {
    if (passOver && !(await this.saved())) return;
    if (!this.nextUrl) return location.assign(this.home);
    const wish = { ...(state && { state }), ...(passOver && { after: this.url.split("/").at(-1) }) };
    // A picture is leased by asking; a copy is one's own already.
    const asking = this.root.dataset.pictureUrl ? { method: "POST", json: wish } : {};
    const { data } = await send(this.nextUrl, asking);
    const mine = data.image?.id === this.url.split("/").at(-1);
    if (data.image && !mine) return location.assign(data.url ?? `${document.body.dataset.root}/images/${data.image.id}/annotate`);
    if (passOver) return toast("There is no other picture that waits for you.");
    return location.assign(this.home);
  }

  async fillMembers() {
    const { data } = await send(this.members);
    const able = data.members.filter(({ role }) => role !== "viewer");
    const choices = able.map(({ id, name }) => element("option", { value: id, text: name, selected: id === this.task.assignee?.id }));
    this.ask.querySelector("select").replaceChildren(element("option", { value: "", text: "Nobody" }), ...choices);
  }

  /** What was typed or chosen; null when it was called off. */
  question(kind) {
    const { title, label, yes } = QUESTIONS[kind];
    const part = (name) => this.ask.querySelector(`[data-task-${name}]`);
    const [reason, person] = [this.ask.querySelector("textarea"), this.ask.querySelector("select")];
    part("title").textContent = title;
    part("yes").textContent = yes;
    part("label").textContent = label ?? "";
    part("why").hidden = !label;
    part("whom").hidden = Boolean(label);
    reason.required = Boolean(label);
    reason.value = "";
    this.ask.returnValue = "";
    this.ask.showModal();
    (label ? reason : person).focus();
    return new Promise((resolve) => {
      const done = () => resolve(this.ask.returnValue ? (label ? reason.value : person.value) : null);
      this.ask.addEventListener("close", done, { once: true });
    });
  }
}

/** Begins with the context of the page, see page.js. */
export function start(context) {
  if (!context.root.dataset.taskUrl) return;
  new Task(context).begin().catch((error) => toast(error.message));
}
