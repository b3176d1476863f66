/**
 * The bytes of a chunk, as `guest-sdk/FORMAT.md` draws them, as binary strings. Knows no map and no
 * operator.
 *
 * Invariant: there is one way to write a given content, and the reader accepts only that one. It
 * trusts no length.
 *
 * @module
 */
export type Codec<T> = import("../codec/codec.js").Codec<T>;
/**
 * A chunk of keyed state.
 *
 * @param {readonly string[]} entries what {@link writeEntry} gave, in the order of the keys
 * @returns {string}
 */
export declare function writeKeyed(entries: readonly string[]): string;
/**
 * @param {string} key
 * @param {string} value encoded
 * @returns {string}
 */
export declare function writeEntry(key: string, value: string): string;
/**
 * @param {string} value encoded
 * @returns {string}
 */
export declare function writeItem(value: string): string;
/**
 * The value of one item of operator state, still encoded.
 *
 * @param {string} chunk
 * @returns {string}
 * @throws {Malformed} if it is none
 */
export declare function readItem(chunk: string): string;
/**
 * Reads the entries of one key group: keys strictly rise, and nothing is left over.
 *
 * @param {string} chunk
 * @param {(key: string, value: string) => void} take is given each key and its encoded value
 * @throws {Malformed} if a rule of the format is broken
 */
export declare function readKeyed(chunk: string, take: (key: string, value: string) => void): void;
/**
 * Reads a value to its last byte.
 *
 * @template T
 * @param {Codec<T>} codec
 * @param {string} binary
 * @returns {T}
 * @throws {Failure} if it is not exactly one value of the type
 */
export declare function readValue<T>(codec: Codec<T>, binary: string): T;
