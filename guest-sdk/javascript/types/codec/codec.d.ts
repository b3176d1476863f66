/**
 * A type of state, with the writing and reading of its values. `guest-sdk/FORMAT.md` draws the
 * bytes.
 *
 * @module
 */
export type Reader = import("./reader.js").Reader;
export type CodecParts<T> = {
    /**
     * for messages
     */
    name: string;
    /**
     * returns a binary string, and throws for any other value
     */
    encode: (value: T) => string;
    decode: (reader: Reader) => T;
    /**
     * the value of a key that is seen for the first time
     */
    initial: () => T;
    /**
     * the least number of bytes that a value takes
     */
    size: number;
    /**
     * compares keys in a map, if values can be
     * keys
     */
    compare?: ((left: T, right: T) => number);
};
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
export declare class Codec<T> {
    /** For messages. @type {string} */
    name: string;
    /** @internal */
    encode: (value: T) => string;
    /** @internal */
    decode: (reader: Reader) => T;
    /** @internal */
    initial: () => T;
    /** @internal */
    size: number;
    /** @internal */
    compare: ((left: T, right: T) => number) | undefined;
    /** @internal */
    takesNull: boolean;
}
export type CodecValue<C> = C extends Codec<infer T> ? T : never;
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
export declare function withDefault<T>(codec: Codec<T>, initial: () => T): Codec<T>;
/**
 * Makes the error for a value that is not of a type.
 *
 * @param {unknown} value
 * @param {string} name
 * @returns {RangeError}
 */
export declare function notA(value: unknown, name: string): RangeError;
