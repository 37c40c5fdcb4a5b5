// One file in one request, with its progress. XMLHttpRequest, because fetch tells nothing of what was sent.

import { api, csrfToken, refreshToken, Refusal } from "../frame/http.js";

function headersOf(request) {
  return { get: (name) => request.getResponseHeader(name) };
}

function bodyOf(request) {
  try {
    return JSON.parse(request.responseText);
  } catch {
    return {};
  }
}

/** {id, duplicate} of the picture; throws Refusal. `onSent(bytes)` follows the body. */
function attempt(file, { collection, tags, keepUntil }, onSent, signal) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append("files", file, file.name);
    if (collection) body.append("collection", collection);
    if (tags) body.append("tags", tags);
    if (keepUntil) body.append("expires_at", keepUntil);
    const request = new XMLHttpRequest();
    request.open("POST", api("/images"));
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken());
    request.upload.addEventListener("progress", (event) => onSent(Math.min(file.size, event.loaded)));
    request.upload.addEventListener("load", () => onSent(file.size));
    request.addEventListener("load", () => {
      const answer = bodyOf(request);
      const made = answer.images?.[0];
      if (request.status < 300 && made) resolve(made);
      else reject(new Refusal(request.status === 207 ? 422 : request.status, answer, headersOf(request)));
    });
    request.addEventListener("error", () => reject(new Refusal(0)));
    request.addEventListener("abort", () => reject(new DOMException("Stopped", "AbortError")));
    signal?.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}

export async function postPicture(file, where, onSent, signal) {
  try {
    return await attempt(file, where, onSent, signal);
  } catch (error) {
    if (!(error instanceof Refusal && error.isCsrf && (await refreshToken()))) throw error;
    return attempt(file, where, onSent, signal);
  }
}
