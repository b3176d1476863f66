/**
 * Runs the vectors of values inside the engine: reads them, writes them, and emits "all" for each
 * list, or the vectors that failed.
 *
 * @module
 */

import { operator, readState, writeState } from "@tidegate/sdk";
import values from "../../../../../vectors/values.json";
import { codecOf, fromJson, isRead, toJson } from "../../../support/vectors.js";

/** @param {string} text */
function hex(text) {
  const bytes = text.match(/../g) ?? [];
  return Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16));
}

/** @param {Uint8Array} bytes */
function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {{ type: any, value: any, bytes: string }} vector */
function isWritten({ type, value, bytes }) {
  const codec = codecOf(type);
  const read = toJson(type, readState(codec, hex(bytes)));
  return (
    toHex(writeState(codec, fromJson(type, value))) === bytes &&
    JSON.stringify(read) === JSON.stringify(value)
  );
}

/** @param {{ type: any, bytes: string }} vector */
function isRefused({ type, bytes }) {
  try {
    readState(codecOf(type), hex(bytes));
    return false;
  } catch {
    return true;
  }
}

/** @type {{ [name: string]: (vector: any) => boolean }} */
const checks = {
  written: isWritten,
  "also-read": ({ type, value, bytes }) =>
    isRead(type, readState(codecOf(type), hex(bytes)), value),
  refused: isRefused,
};

export default operator({
  onRecord(record, _state, out) {
    const name = record.key.text();
    /** @type {any[]} */
    const vectors = /** @type {any} */ (values)[name];
    const wrong = vectors.filter((vector) => !checks[name](vector));
    out.emit(name, wrong.length === 0 ? "all" : JSON.stringify(wrong));
    if (vectors.length < 5) throw new RangeError("there are more vectors than that");
  },
});
