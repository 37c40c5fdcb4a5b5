// Seals drafts with keys of the person who is signed in; none of them can be read out of the browser.

const words = new TextEncoder();
const SEAL = words.encode("darkroom/drafts/seal/v1");
const NAME = words.encode("darkroom/drafts/name/v1");
const IV_BYTES = 12;

const bytesOf = (base64) => Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));

const hexOf = (buffer) => [...new Uint8Array(buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

/** WebCrypto is there on https and on localhost only. */
export const canSeal = () => Boolean(globalThis.crypto?.subtle && globalThis.indexedDB && navigator.locks);

/**
 * One key of GET /api/v1/sessions/draft-key: HKDF-SHA-256 makes of it a key of AES-256-GCM for what is
 * kept and one of HMAC-SHA-256 for its names. Both are not extractable.
 */
export class Seal {
  static async from({ id, key }) {
    const raw = bytesOf(key);
    const base = await crypto.subtle.importKey("raw", raw, "HKDF", false, ["deriveKey"]);
    raw.fill(0);
    const made = (info, kind, uses) => {
      const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info };
      return crypto.subtle.deriveKey(how, base, kind, false, uses);
    };
    const sealing = await made(SEAL, { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]);
    const naming = await made(NAME, { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign"]);
    return new Seal(id, sealing, naming);
  }

  constructor(id, sealing, naming) {
    Object.assign(this, { id, sealing, naming });
  }

  /** A name from which nothing follows. */
  async name(text) {
    return hexOf(await crypto.subtle.sign("HMAC", this.naming, words.encode(text)));
  }

  /** {iv, sealed} of a value; it opens only with the same `about`. */
  async close(value, about) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const how = { name: "AES-GCM", iv, additionalData: words.encode(about) };
    return { iv, sealed: await crypto.subtle.encrypt(how, this.sealing, words.encode(JSON.stringify(value))) };
  }

  /** The value; throws for one that was changed, moved, or sealed for somebody else. */
  async open({ iv, sealed }, about) {
    const how = { name: "AES-GCM", iv, additionalData: words.encode(about) };
    return JSON.parse(new TextDecoder().decode(await crypto.subtle.decrypt(how, this.sealing, sealed)));
  }
}
