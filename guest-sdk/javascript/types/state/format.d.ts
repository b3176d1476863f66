/**
 * The bytes of a chunk, as `guest-sdk/FORMAT.md` draws them, as binary strings. Knows no map and no
 * operator.
 *
 * Invariant: a given content has one encoding, and the reader accepts only that encoding. The
 * reader trusts no length.
 *
 * @module
 */
export type Codec<T> = import("../codec/codec.js").Codec<T>;
/**
 * Writes a chunk of keyed state.
 *
 * @param {readonly string[]} entries results of {@link writeEntry}, in the order of the keys
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
 * Returns the value of one item of operator state, still encoded.
 *
 * @param {string} chunk
 * @returns {string}
 * @throws {Malformed} if `chunk` is no item
 */
export declare function readItem(chunk: string): string;
/**
 * Reads the entries of one key group: keys strictly rise, and nothing is left over.
 *
 * @param {string} chunk
 * @param {(key: string, value: string) => void} take receives each key and its encoded value
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
 * @throws {Failure} if the bytes are not exactly one value of the type
 */
export declare function readValue<T>(codec: Codec<T>, binary: string): T;
