/**
 * A type of state, with the writing and reading of its values. `guest-sdk/FORMAT.md` draws the
 * bytes.
 *
 * @module
 */

/** @typedef {import("./reader.js").Reader} Reader */

/**
 * The parts of a codec.
 *
 * @template T
 * @typedef {object} CodecParts
 * @property {string} name for messages
 * @property {(value: T) => string} encode returns a binary string, and throws for any other value
 * @property {(reader: Reader) => T} decode
 * @property {() => T} initial the value of a key that is seen for the first time
 * @property {number} size the least number of bytes that a value takes
 * @property {((left: T, right: T) => number)} [compare] compares keys in a map, if values can be
 *   keys
 */

/**
 * A type of state: the writing and reading of its values, and the value that a new key starts with.
 *
 * @template T
 */
export class Codec {
  /**
   * @internal
   * @param {CodecParts<T>} parts
   * @param {boolean} [takesNull] true if null is a value of the type
   */
  constructor(parts, takesNull = false) {
    /** For messages. @type {string} */
    this.name = parts.name;
    /** @internal */
    this.encode = parts.encode;
    /** @internal */
    this.decode = parts.decode;
    /** @internal */
    this.initial = parts.initial;
    /** @internal */
    this.size = parts.size;
    /** @internal */
    this.compare = parts.compare;
    /** @internal */
    this.takesNull = takesNull;
  }
}

/**
 * The type of a codec's values.
 *
 * @template C
 * @typedef {C extends Codec<infer T> ? T : never} CodecValue
 */

/**
 * Makes the same type with another value for new keys.
 *
 * ```js
 * const least = withDefault(f64, () => Infinity);
 * ```
 *
 * @template T
 * @param {Codec<T>} codec
 * @param {() => T} initial returns a new value at each call
 * @returns {Codec<T>}
 */
export function withDefault(codec, initial) {
  const { name, encode, decode, size, compare, takesNull } = codec;
  return new Codec({ name, encode, decode, initial, size, compare }, takesNull);
}

/**
 * Makes the error for a value that is not of a type.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {RangeError}
 */
export function notA(value, name) {
  const shown = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : String(value);
  return new RangeError(`the state can't be written: ${shown} is no value of type ${name}`);
}
