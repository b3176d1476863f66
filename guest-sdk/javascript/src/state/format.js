/**
 * The bytes of a chunk, as `guest-sdk/FORMAT.md` draws them, as binary strings. Knows no map and no
 * operator.
 *
 * Invariant: a given content has one encoding, and the reader accepts only that encoding. The
 * reader trusts no length.
 *
 * @module
 */

import { varint } from "../codec/numbers.js";
import { Malformed, Reader } from "../codec/reader.js";
import { Failure } from "../failure.js";

/**
 * @template T
 * @typedef {import("../codec/codec.js").Codec<T>} Codec
 */

/** The first bytes of a chunk of keyed state, format version 1. */
const KEYED_MAGIC = "TGK\x01";

/** The first bytes of a chunk that is one item of operator state, format version 1. */
const ITEM_MAGIC = "TGI\x01";

/** The bytes of the smallest entry: the length of an empty key, and that of an empty value. */
const MIN_ENTRY = 2;

/**
 * Writes a chunk of keyed state.
 *
 * @param {readonly string[]} entries results of {@link writeEntry}, in the order of the keys
 * @returns {string}
 */
export function writeKeyed(entries) {
  return KEYED_MAGIC + varint(entries.length) + entries.join("");
}

/**
 * @param {string} key
 * @param {string} value encoded
 * @returns {string}
 */
export function writeEntry(key, value) {
  return varint(key.length) + key + varint(value.length) + value;
}

/**
 * @param {string} value encoded
 * @returns {string}
 */
export function writeItem(value) {
  return ITEM_MAGIC + value;
}

/**
 * Returns the value of one item of operator state, still encoded.
 *
 * @param {string} chunk
 * @returns {string}
 * @throws {Malformed} if `chunk` is no item
 */
export function readItem(chunk) {
  return withoutMagic(chunk, ITEM_MAGIC);
}

/**
 * Reads the entries of one key group: keys strictly rise, and nothing is left over.
 *
 * @param {string} chunk
 * @param {(key: string, value: string) => void} take receives each key and its encoded value
 * @throws {Malformed} if a rule of the format is broken
 */
export function readKeyed(chunk, take) {
  const reader = new Reader(withoutMagic(chunk, KEYED_MAGIC));
  const entries = length(reader);
  if (entries === 0) throw new Malformed("it has no entries");
  if (entries > Math.floor(reader.left / MIN_ENTRY)) throw new Malformed("it ends too early");
  /** @type {string | undefined} */
  let last;
  for (let entry = 0; entry < entries; entry++) {
    const key = reader.take(length(reader));
    const value = reader.take(length(reader));
    if (last !== undefined && last >= key) throw new Malformed("its keys do not strictly rise");
    last = key;
    take(key, value);
  }
  if (reader.left > 0) throw new Malformed(`${reader.left} bytes are left over`);
}

/**
 * Reads a value to its last byte.
 *
 * @template T
 * @param {Codec<T>} codec
 * @param {string} binary
 * @returns {T}
 * @throws {Failure} if the bytes are not exactly one value of the type
 */
export function readValue(codec, binary) {
  const reader = new Reader(binary);
  let value;
  try {
    value = codec.decode(reader);
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw Failure.incompatibleState(`a value can't be read: ${error.message}`);
  }
  if (reader.left === 0) return value;
  throw Failure.incompatibleState(`a value has ${reader.left} bytes more than its type`);
}

/**
 * Reads a length below 2^32, in its shortest form.
 *
 * @param {Reader} reader
 * @returns {number}
 */
function length(reader) {
  const first = reader.byte();
  if (first < 0x80) return first;
  let number = first - 0x80;
  let unit = 0x80;
  for (let index = 1; index < 5; index++) {
    const byte = reader.byte();
    number += (byte & 0x7f) * unit;
    if (byte < 0x80) {
      // A last group of zeros adds nothing to the bytes before it.
      if (byte === 0 || number > 0xffff_ffff) break;
      return number;
    }
    unit *= 0x80;
  }
  throw new Malformed("a length is not written in its shortest form");
}

/**
 * @param {string} chunk
 * @param {string} magic
 * @returns {string}
 */
function withoutMagic(chunk, magic) {
  if (chunk.startsWith(magic)) return chunk.substring(magic.length);
  throw new Malformed("it does not begin as a chunk of this format does");
}
