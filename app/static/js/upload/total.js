// The line over all rows: how far, how long, what failed.

import { countInWords, sizeInWords, timeInWords } from "./words.js";

const WINDOW = 12000;

/** Seconds left from the pace of the last seconds: samples are [time in ms, bytes]. */
export function secondsLeft(samples, total) {
  const [first, last] = [samples[0], samples.at(-1)];
  const time = (last[0] - first[0]) / 1000;
  const bytes = last[1] - first[1];
  if (time < 2 || bytes <= 0) return NaN;
  return (total - last[1]) / (bytes / time);
}

export class Total {
  constructor(root, queue) {
    this.queue = queue;
    this.samples = [];
    this.words = root.querySelector("[data-total-words]");
    this.left = root.querySelector("[data-total-left]");
    this.bar = root.querySelector("[data-total-bar]");
    this.retry = root.querySelector("[data-retry-all]");
    this.see = root.querySelector("[data-see]");
    this.said = root.querySelector("[data-said]");
  }

  show(now = performance.now()) {
    const { jobs } = this.queue;
    const wanted = jobs.filter((job) => job.state !== "refused" && job.state !== "failed");
    const total = wanted.reduce((sum, job) => sum + job.file.size, 0);
    const sent = wanted.reduce((sum, job) => sum + job.sent, 0);
    this.samples.push([now, sent]);
    while (this.samples.length > 2 && now - this.samples[0][0] > WINDOW) this.samples.shift();
    const over = jobs.filter((job) => job.isOver).length;
    this.bar.value = total ? sent / total : 1;
    if (this.queue.isBusy) {
      this.words.textContent = `${over.toLocaleString()} of ${countInWords(jobs.length, "picture")}`;
      this.left.textContent = [`${sizeInWords(sent)} of ${sizeInWords(total)}`, timeInWords(secondsLeft(this.samples, total))].filter(Boolean).join(", ");
    } else this.#sum();
    this.retry.hidden = this.queue.isBusy || this.queue.count("failed") === 0;
    this.see.hidden = this.queue.isBusy || this.queue.count("ready") === 0;
  }

  #sum() {
    const parts = [["ready", "ready"], ["refused", "refused"], ["failed", "failed"]]
      .map(([state, word]) => [this.queue.count(state), word])
      .filter(([count]) => count > 0)
      .map(([count, word]) => `${count.toLocaleString()} ${word}`);
    const words = parts.join(", ");
    this.left.textContent = "";
    if (this.words.textContent === words) return;
    this.words.textContent = words;
    this.said.textContent = `Done: ${words}.`;
  }
}
