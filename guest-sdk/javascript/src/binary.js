/**
 * Binary strings: one character below 256 for each byte.
 *
 * An interpreter is slow at bytes and fast at strings: it cuts, compares, sorts, joins and hashes
 * them natively. So columns, keys of the state and encoded values are binary strings inside the
 * SDK, and cross into bytes all at once.
 *
 * @module
 */

/**
 * Methods that newer engines have, and the types of older engines don't know.
 *
 * @typedef {{ toBase64?: () => string }} ToBase64
 * @typedef {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} FromBase64
 * @typedef {{ escape: (text: string) => string, unescape: (text: string) => string }} Percent
 */

const percent = /** @type {Percent} */ (/** @type {unknown} */ (globalThis));
const fromBase64 = /** @type {FromBase64} */ (Uint8Array).fromBase64;

/** A character that is not ASCII. */
const NOT_ASCII = /[^\0-\x7f]/;

/**
 * Returns the binary string of these bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBinary(bytes) {
  const { toBase64 } = /** @type {ToBase64} */ (bytes);
  if (toBase64 !== undefined) return atob(toBase64.call(bytes));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}

/**
 * Returns the bytes of a binary string.
 *
 * @param {string} binary
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function fromBinary(binary) {
  if (fromBase64 !== undefined) return fromBase64(btoa(binary));
  return Uint8Array.from(Buffer.from(binary, "latin1"));
}

/**
 * Returns true if every character is ASCII, so that a text is its own binary string.
 *
 * @param {string} text
 * @returns {boolean}
 */
export function isAscii(text) {
  return !NOT_ASCII.test(text);
}

/**
 * Returns the UTF-8 bytes of a text as a binary string. A lone surrogate becomes U+FFFD.
 *
 * @param {string} text
 * @returns {string}
 */
export function encodeText(text) {
  if (isAscii(text)) return text;
  return percent.unescape(encodeURIComponent(text.toWellFormed()));
}

/**
 * Returns the text of a binary string, or undefined if that is not UTF-8.
 *
 * @param {string} binary
 * @returns {string | undefined}
 */
export function decodeText(binary) {
  if (isAscii(binary)) return binary;
  try {
    return decodeURIComponent(percent.escape(binary));
  } catch {
    return undefined;
  }
}
