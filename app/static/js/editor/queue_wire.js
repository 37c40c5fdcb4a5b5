// Operations as the API takes them, and the set's addresses as the page names them.

import { Refusal, csrfToken, fetchPage, once } from "../frame/http.js";
import { annotationOf } from "./wire.js";

/** Answers that take longer are no answers; then the same is sent again. */
const PATIENCE = 20_000;
/** Browsers let requests outlive their page up to 64 KiB together. */
const SMALL = 30_000;

/** What PATCH takes for one entry of the queue. */
export function operationOf({ op, id, base, after, ids }) {
  if (ids) return { op: "order", op_id: op, ids };
  if (!after) return { op: "delete", op_id: op, id, rev: base?.rev ?? null };
  const { rev: _rev, box, shape, ...rest } = annotationOf(after);
  const place = shape ? { shape } : { box };
  if (!base) return { op: "add", op_id: op, ...rest, ...place };
  return { op: "update", op_id: op, ...rest, ...place, rev: base.rev ?? null };
}

/** The place of "$.ops[3].label" among the operations; null where the mistake is elsewhere. */
export function placeOf({ errors = [] }) {
  for (const { path } of errors) {
    const found = /\bops\[(\d+)\]/.exec(path ?? "");
    if (found) return Number(found[1]);
  }
  return null;
}

/** Whether it was the wished state that was refused. */
export const isAboutState = ({ errors = [] }) => errors.some(({ path }) => /^\$?\.?state\b/.test(path ?? ""));

/**
 * The requests of the editor for one person. The CSRF token is that of the session in which the page was
 * made, and only `trust` changes it: after another account signed in in this browser, our requests fail
 * instead of being sent in its name.
 */
export class Wire {
  constructor({ setUrl, changesUrl, keyUrl }, ask = once) {
    Object.assign(this, { setUrl, changesUrl, keyUrl, ask });
    this.token = csrfToken();
  }

  #ask(url, options = {}) {
    const headers = { ...options.headers, "X-CSRFToken": this.token };
    return this.ask(url, { signal: AbortSignal.timeout(PATIENCE), ...options, headers });
  }

  read() {
    return this.#ask(this.setUrl);
  }

  patch(json, url = this.setUrl) {
    return this.#ask(url, { method: "PATCH", json, keepalive: JSON.stringify(json).length < SMALL });
  }

  changes(since, tab) {
    return this.#ask(`${this.changesUrl}?${new URLSearchParams({ since, tab })}`);
  }

  /** {user, keys: [{id, key}]} of whoever is signed in. */
  async who() {
    return (await this.#ask(this.keyUrl)).data;
  }

  /** The token of the session that this browser has now, whoever it is of. */
  async freshToken() {
    const page = await fetchPage(document.body.dataset.account);
    return page.querySelector('meta[name="csrf-token"]').content;
  }

  /** Go on with the token of a session that was seen to be the same person's. */
  trust(token) {
    this.token = token;
    document.querySelector('meta[name="csrf-token"]').content = token;
  }
}

/** A refusal for the picture's state: it was submitted, and is read-only until somebody reopens it. */
export const isSubmitted = ({ type, code }) => /picture[-_]submitted$/.test(`${type ?? code ?? ""}`);

export const isSignedOut = (error) => error instanceof Refusal && (error.status === 401 || error.isCsrf);
