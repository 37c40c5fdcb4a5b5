// A row for each file: picture, name, size, bar, state in words, retry.

import { element, icon } from "../frame/dom.js";
import { sizeInWords } from "./words.js";

const THUMB = { w: 112, h: 84 };

/** Small pictures of local files, one after the other, so that a folder does not decode at once. */
class Stamps {
  constructor() {
    this.last = Promise.resolve();
  }

  draw(file, into) {
    this.last = this.last.then(() => this.#draw(file, into)).catch(() => {});
  }

  async #draw(file, into) {
    if (!into.isConnected || into.dataset.final) return;
    const bitmap = await createImageBitmap(file, { resizeWidth: THUMB.w, resizeQuality: "low" });
    if (!into.dataset.final) {
      const canvas = element("canvas", { width: THUMB.w, height: THUMB.h, "aria-hidden": "true" });
      const scale = Math.max(THUMB.w / bitmap.width, THUMB.h / bitmap.height);
      const [w, h] = [bitmap.width * scale, bitmap.height * scale];
      canvas.getContext("2d").drawImage(bitmap, (THUMB.w - w) / 2, (THUMB.h - h) / 2, w, h);
      into.replaceChildren(canvas);
    }
    bitmap.close();
  }
}

export class Rows {
  /** `links` is {thumb, show}: addresses with IMAGE in the place of the id. */
  constructor(list, links, onRetry) {
    this.list = list;
    this.links = links;
    this.onRetry = onRetry;
    this.rows = new Map();
    this.stamps = new Stamps();
  }

  #make(job) {
    const row = {
      thumb: element("span", { class: "upload-thumb" }, icon("image")),
      name: element("span", { class: "upload-name", title: job.file.webkitRelativePath || job.file.name, text: job.file.name }),
      words: element("span", { class: "words" }),
      bar: element("progress", { max: 1, value: 0, "aria-label": job.file.name }),
      act: element("span", { class: "upload-act" }),
    };
    row.node = element(
      "li",
      { class: "upload-row" },
      row.thumb,
      row.name,
      element("span", { class: "upload-size", text: sizeInWords(job.file.size) }),
      element("span", { class: "upload-state" }, row.words, row.bar),
      row.act,
    );
    this.rows.set(job, row);
    this.list.append(row.node);
    if (job.state !== "refused") this.stamps.draw(job.file, row.thumb);
    return row;
  }

  show(job) {
    const row = this.rows.get(job) ?? this.#make(job);
    row.node.className = `upload-row is-${job.state}`;
    row.words.textContent = job.words;
    row.bar.hidden = job.isOver || job.state === "waiting";
    if (job.state === "sealing") row.bar.removeAttribute("value");
    else row.bar.value = job.sent / (job.file.size || 1);
    if (job.state === "ready") this.#settle(job, row);
    this.#offerRetry(job, row);
  }

  #offerRetry(job, row) {
    if (job.state !== "failed") return row.act.replaceChildren();
    if (row.act.firstChild) return undefined;
    const label = `Retry ${job.file.name}`;
    return row.act.append(element("button", { class: "btn btn-plain btn-small", type: "button", "aria-label": label, text: "Retry", onclick: () => this.onRetry(job) }));
  }

  #settle(job, row) {
    row.words.prepend(icon("check-circle-fill"));
    row.name.replaceChildren(element("a", { href: this.links.show.replace("IMAGE", job.image.id), text: job.file.name }));
    row.thumb.dataset.final = "1";
    const image = element("img", { alt: "", loading: "lazy", decoding: "async", src: this.links.thumb.replace("IMAGE", job.image.id) });
    image.addEventListener("load", () => row.thumb.replaceChildren(image));
    // A lazy image is only fetched inside the document.
    if (!row.thumb.querySelector("canvas")) row.thumb.replaceChildren(image);
    else image.loading = "eager";
  }
}
