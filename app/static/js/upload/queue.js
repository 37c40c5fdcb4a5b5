// The queue of files: a few at a time, a pause when the server asks for one, failures kept for a retry.

import { Refusal } from "../frame/http.js";
import { sizeInWords } from "./words.js";

const AT_ONCE = 2;
const PAUSE = 15;
const STATES = ["waiting", "sending", "sealing", "ready", "refused", "failed"];
const OVER = new Set(["ready", "refused", "failed"]);

/** A file on its way. `state` is one of STATES, `words` say it, `sent` counts bytes. */
export class Job {
  constructor(file, where) {
    this.file = file;
    this.where = where;
    this.sent = 0;
    this.state = "waiting";
    this.words = "waiting";
    this.image = null;
  }

  get isOver() {
    return OVER.has(this.state);
  }
}

export class Queue extends EventTarget {
  /** `post(file, where, onSent)` sends one; `limits` is {maxBytes}. */
  constructor(post, limits, wait = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000))) {
    super();
    this.post = post;
    this.limits = limits;
    this.wait = wait;
    this.jobs = [];
    this.running = 0;
    this.pause = null;
    this.signedOut = false;
  }

  get isBusy() {
    return this.jobs.some((job) => !job.isOver);
  }

  count(state) {
    return this.jobs.filter((job) => job.state === state).length;
  }

  add(files, where) {
    const jobs = files.map((file) => new Job(file, where));
    this.jobs.push(...jobs);
    for (const job of jobs) this.#admit(job);
    this.#pump();
    return jobs;
  }

  #admit(job) {
    const { size } = job.file;
    const { maxBytes } = this.limits;
    if (size === 0) this.#turn(job, "refused", "refused: the file is empty");
    else if (size > maxBytes) this.#turn(job, "refused", `refused: ${sizeInWords(size)}, the limit is ${sizeInWords(maxBytes)}`);
    else this.#turn(job, "waiting", "waiting");
  }

  retry(jobs = this.jobs.filter((job) => job.state === "failed")) {
    this.signedOut = false;
    for (const job of jobs) {
      job.sent = 0;
      this.#turn(job, "waiting", "waiting");
    }
    this.#pump();
  }

  #turn(job, state, words) {
    if (!STATES.includes(state)) throw new RangeError(state);
    job.state = state;
    job.words = words;
    this.dispatchEvent(new CustomEvent("job", { detail: job }));
  }

  #pump() {
    while (this.running < AT_ONCE && !this.pause && !this.signedOut) {
      const job = this.jobs.find((one) => one.state === "waiting");
      if (!job) break;
      this.running += 1;
      this.#run(job).finally(() => {
        this.running -= 1;
        this.#pump();
      });
    }
    if (!this.isBusy) this.dispatchEvent(new Event("idle"));
  }

  async #run(job) {
    this.#turn(job, "sending", "sending");
    const onSent = (bytes) => {
      job.sent = bytes;
      if (bytes >= job.file.size) this.#turn(job, "sealing", "sealing and making previews");
      else this.#turn(job, "sending", `sending, ${Math.floor((100 * bytes) / job.file.size)} %`);
    };
    try {
      job.image = await this.post(job.file, job.where, onSent);
      job.sent = job.file.size;
      this.#turn(job, "ready", job.image.duplicate ? "already here" : "ready");
    } catch (error) {
      this.#fail(job, error);
    }
  }

  #fail(job, error) {
    job.sent = 0;
    if (!(error instanceof Refusal)) return this.#turn(job, "failed", "failed: this file cannot be read any more");
    if (error.status === 429) return this.#hold(job, error.retryAfter ?? PAUSE);
    if (error.status === 401) {
      this.signedOut = true;
      for (const one of this.jobs.filter((other) => other.state === "waiting")) this.#turn(one, "failed", "not sent: signed out");
      return this.#turn(job, "failed", "not sent: signed out");
    }
    if (error.isPassing && error.status !== 507) return this.#turn(job, "failed", `failed: ${lower(error.message)}`);
    return this.#turn(job, "refused", `refused: ${lower(error.message)}`);
  }

  /** The server asks for a pause: everything waits, then goes on by itself. */
  #hold(job, seconds) {
    this.#turn(job, "waiting", `the server asks for a pause of ${Math.ceil(seconds)} seconds`);
    this.pause ??= this.wait(seconds).then(() => {
      this.pause = null;
      this.#pump();
    });
  }
}

// "This is not…" goes on after a colon; names and abbreviations keep their capitals.
const lower = (text) => (/^[A-Z][a-z ]/.test(text) ? text[0].toLowerCase() + text.slice(1) : text);
