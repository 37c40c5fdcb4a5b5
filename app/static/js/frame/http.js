// Requests to our own server: the CSRF token, problem+json as an Error that a person can read.

export const api = (path) => `${document.body.dataset.root}/api/v1${path}`;

const meta = () => document.querySelector('meta[name="csrf-token"]');
export const csrfToken = () => meta().content;

const WORDS = {
  0: "The server cannot be reached.",
  401: "You have been signed out.",
  403: "You may not do that here.",
  404: "It is no longer there.",
  413: "That is larger than the server takes.",
  429: "Too many requests. Wait a moment, then try again.",
  503: "The server cannot do that right now.",
  507: "There is no space left.",
};

/** A request that was refused, or (status 0) never answered. */
export class Refusal extends Error {
  constructor(status, body = {}, headers = new Headers()) {
    const first = body.errors?.find((one) => one.message)?.message;
    super(first || body.detail || WORDS[status] || `The server answered ${status}.`);
    this.status = status;
    this.body = body;
    this.etag = headers.get("ETag");
    this.retryAfter = Number(headers.get("Retry-After")) || null;
  }

  get isCsrf() {
    return this.status === 400 && /csrf$/i.test(`${this.body.code ?? ""} ${this.body.type ?? ""}`.trim());
  }

  /** Worth another try by itself: no answer, overload, or a restart. */
  get isPassing() {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

async function readBody(response) {
  if (!/json/.test(response.headers.get("Content-Type") ?? "")) return {};
  return response.json().catch(() => ({}));
}

/** As `send`, without asking for another token. */
export async function once(url, { method = "GET", json, form, headers = {}, keepalive, signal }) {
  const all = { Accept: "application/json", "X-CSRFToken": csrfToken(), ...headers };
  if (json !== undefined) all["Content-Type"] = "application/json";
  const body = json === undefined ? form : JSON.stringify(json);
  let response;
  try {
    response = await fetch(url, { method, body, headers: all, keepalive, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0);
  }
  const data = await readBody(response);
  if (!response.ok) throw new Refusal(response.status, data, response.headers);
  return { data, etag: response.headers.get("ETag"), status: response.status };
}

/** The token dies with the session; after signing in elsewhere this page needs the new one. */
export async function refreshToken() {
  const html = await fetchPage(document.body.dataset.account);
  const fresh = html.querySelector('meta[name="csrf-token"]')?.content;
  if (!fresh || fresh === csrfToken()) return false;
  meta().content = fresh;
  return true;
}

/** {data, etag, status} of an answer below 400; throws Refusal. */
export async function send(url, options = {}) {
  try {
    return await once(url, options);
  } catch (error) {
    if (error instanceof Refusal && error.isCsrf && (await refreshToken())) return once(url, options);
    throw error;
  }
}

/** A page of ours as a Document. */
export async function fetchPage(url, signal) {
  let response;
  try {
    response = await fetch(url, { headers: { Accept: "text/html" }, signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal(0);
  }
  if (!response.ok) throw new Refusal(response.status);
  return new DOMParser().parseFromString(await response.text(), "text/html");
}
