/**
 * Text and bytes, and the type that has no bytes.
 *
 * @module
 */

import { decodeText, encodeText, fromBinary, toBinary } from "../binary.js";
import { Codec, notA } from "./codec.js";
import { varint } from "./numbers.js";
import { Malformed } from "./reader.js";

/**
 * Compares two binary strings by their bytes.
 *
 * @param {string} left
 * @param {string} right
 * @returns {number}
 */
function byBytes(left, right) {
  return left < right ? -1 : Number(left > right);
}

/** Text, written in UTF-8. A lone surrogate becomes U+FFFD. @type {Codec<string>} */
export const string = new Codec({
  name: "string",
  size: 1,
  initial: () => "",
  compare: (left, right) => byBytes(encodeText(left), encodeText(right)),
  encode(text) {
    if (typeof text !== "string") throw notA(text, "string");
    const binary = encodeText(text);
    return varint(binary.length) + binary;
  },
  decode(reader) {
    const text = decodeText(reader.take(reader.length(1)));
    if (text === undefined) throw new Malformed("a text is not UTF-8");
    return text;
  },
});

/** Bytes. @type {Codec<Uint8Array>} */
export const bytes = new Codec({
  name: "bytes",
  size: 1,
  initial: () => /** @type {Uint8Array} */ (new Uint8Array(0)),
  compare: (left, right) => byBytes(toBinary(left), toBinary(right)),
  encode(value) {
    if (!(value instanceof Uint8Array)) throw notA(value, "bytes");
    return varint(value.length) + toBinary(value);
  },
  decode: (reader) => fromBinary(reader.take(reader.length(1))),
});

/** The type without a value: no state is kept. @type {Codec<undefined>} */
export const unit = new Codec({
  name: "unit",
  size: 0,
  initial: () => undefined,
  encode(value) {
    if (value !== undefined) throw notA(value, "unit");
    return "";
  },
  decode: () => undefined,
});
