/**
 * Types that are made of others.
 *
 * @module
 */

import { Codec, notA } from "./codec.js";
import { varint } from "./numbers.js";
import { Malformed } from "./reader.js";

/** @typedef {import("./reader.js").Reader} Reader */

/**
 * @template C
 * @typedef {import("./codec.js").CodecValue<C>} CodecValue
 */

/** The most items that take no byte. */
const MOST_UNITS = 1 << 20;

/**
 * Makes the type of a value or `null`. Where null is a value of the type itself, as in an option of
 * an option, the value is `{ some: value }`.
 *
 * @template T
 * @param {Codec<T>} inner
 * @returns {Codec<(null extends T ? { some: T } : T) | null>}
 */
export function option(inner) {
  const wraps = inner.takesNull;
  return new Codec(
    {
      name: `option(${inner.name})`,
      size: 1,
      initial: () => /** @type {any} */ (null),
      encode(value) {
        if (value === null) return "\0";
        return `\x01${inner.encode(wraps ? value.some : value)}`;
      },
      decode(reader) {
        const byte = reader.byte();
        if (byte === 0) return null;
        if (byte !== 1) throw new Malformed(`${byte} is neither none nor some`);
        const value = inner.decode(reader);
        return wraps ? { some: value } : value;
      },
    },
    true,
  );
}

/**
 * Makes the type of an array of values of one type.
 *
 * @template T
 * @param {Codec<T>} item
 * @returns {Codec<T[]>}
 */
export function list(item) {
  const name = `list(${item.name})`;
  return new Codec({
    name,
    size: 1,
    initial: () => /** @type {T[]} */ ([]),
    encode(values) {
      if (!Array.isArray(values)) throw notA(values, name);
      let binary = varint(values.length);
      for (const value of values) binary += item.encode(value);
      return binary;
    },
    decode(reader) {
      /** @type {T[]} */
      const values = [];
      for (let left = count(reader, item.size); left > 0; left--) values.push(item.decode(reader));
      return values;
    },
  });
}

/**
 * Makes the type of a `Map`, written in the order of its keys, whatever the order in which they
 * came. Keys are bool, integers, string, bytes, or tuples of these.
 *
 * A JavaScript `Map` finds bytes and tuples by identity, not by their contents: prefer keys that
 * are strings or numbers. Two equal keys can't be written.
 *
 * @template K, V
 * @param {Codec<K>} key
 * @param {Codec<V>} value
 * @returns {Codec<Map<K, V>>}
 * @throws {TypeError} if values of the key's type can't be keys
 */
export function map(key, value) {
  const name = `map(${key.name}, ${value.name})`;
  const { compare } = key;
  if (compare === undefined) {
    throw new TypeError(`${name}: keys are bool, integers, string, bytes or tuples of these`);
  }
  return new Codec({
    name,
    size: 1,
    initial: () => new Map(),
    encode(entries) {
      if (!(entries instanceof Map)) throw notA(entries, name);
      const sorted = [...entries].sort(([left], [right]) => compare(left, right));
      let binary = varint(sorted.length);
      for (const [at, entry] of sorted.entries()) {
        if (at > 0 && compare(sorted[at - 1][0], entry[0]) === 0) {
          throw new RangeError(`the state can't be written: a ${name} has two equal keys`);
        }
        binary += key.encode(entry[0]) + value.encode(entry[1]);
      }
      return binary;
    },
    decode: (reader) => readMap(reader, key, value),
  });
}

/**
 * @template K, V
 * @param {Reader} reader
 * @param {Codec<K>} key
 * @param {Codec<V>} value
 * @returns {Map<K, V>}
 */
function readMap(reader, key, value) {
  const entries = new Map();
  // A `Map` keeps some equal keys apart: of a key that comes twice the last value stands.
  const known = new Map();
  for (let left = count(reader, key.size + value.size); left > 0; left--) {
    let entry = key.decode(reader);
    if (typeof entry === "object") {
      const binary = key.encode(entry);
      entry = known.get(binary) ?? entry;
      known.set(binary, entry);
    }
    entries.set(entry, value.decode(reader));
  }
  return entries;
}

/**
 * Makes the type of an array of values of different types, in this order.
 *
 * @template {readonly Codec<any>[]} T
 * @param {T} parts
 * @returns {Codec<{ -readonly [I in keyof T]: CodecValue<T[I]> }>}
 */
export function tuple(...parts) {
  const name = `tuple(${parts.map((part) => part.name).join(", ")})`;
  const compares = parts.map((part) => part.compare);
  const isKey = parts.length > 0 && !compares.includes(undefined);
  /** @type {Codec<any>} */
  const codec = new Codec({
    name,
    size: parts.reduce((size, part) => size + part.size, 0),
    initial: () => parts.map((part) => part.initial()),
    compare: isKey ? (left, right) => byParts(compares, left, right) : undefined,
    encode(values) {
      if (!(Array.isArray(values) && values.length === parts.length)) throw notA(values, name);
      let binary = "";
      for (const [at, part] of parts.entries()) binary += part.encode(values[at]);
      return binary;
    },
    decode: (reader) => parts.map((part) => part.decode(reader)),
  });
  return codec;
}

/**
 * Makes the type of an object with these fields. They are written in the order in which they stand
 * here; names are not written.
 *
 * ```js
 * const stats = struct({ count: u64.asNumber, lastSeen: option(i64) });
 * ```
 *
 * @template {{ [name: string]: Codec<any> }} F
 * @param {F} fields
 * @returns {Codec<{ -readonly [N in keyof F]: CodecValue<F[N]> }>}
 * @throws {TypeError} if a name is a whole number, which JavaScript would put first
 */
export function struct(fields) {
  const parts = Object.entries(fields);
  const name = `struct(${parts.map(([field, part]) => `${field}: ${part.name}`).join(", ")})`;
  for (const [field] of parts) {
    if (/^([0-9]+|__proto__)$/.test(field)) {
      throw new TypeError(`${name}: \`${field}\` can't be the name of a field`);
    }
  }
  /** @type {Codec<any>} */
  const codec = new Codec({
    name,
    size: parts.reduce((size, [, part]) => size + part.size, 0),
    initial: () => Object.fromEntries(parts.map(([field, part]) => [field, part.initial()])),
    encode(value) {
      if (typeof value !== "object" || value === null) throw notA(value, name);
      let binary = "";
      for (const [field, part] of parts) binary += part.encode(value[field]);
      return binary;
    },
    decode(reader) {
      /** @type {{ [name: string]: unknown }} */
      const value = {};
      for (const [field, part] of parts) value[field] = part.decode(reader);
      return value;
    },
  });
  return codec;
}

/**
 * Reads the number of items that take at least `size` bytes each.
 *
 * @param {Reader} reader
 * @param {number} size
 * @returns {number}
 */
function count(reader, size) {
  const items = reader.length(size);
  if (size === 0 && items > MOST_UNITS)
    throw new Malformed("more items without bytes than are read");
  return items;
}

/**
 * @param {readonly (((left: any, right: any) => number) | undefined)[]} compares
 * @param {readonly unknown[]} left
 * @param {readonly unknown[]} right
 * @returns {number}
 */
function byParts(compares, left, right) {
  for (const [at, compare] of compares.entries()) {
    const order = compare?.(left[at], right[at]) ?? 0;
    if (order !== 0) return order;
  }
  return 0;
}
