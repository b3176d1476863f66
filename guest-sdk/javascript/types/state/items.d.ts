/**
 * State that belongs to no key: a list of items, which are dealt out among the subtasks when the
 * parallelism changes.
 *
 * @module
 */
import { Failure } from "../failure.js";
export type StateChunk = import("../raw.js").StateChunk;
export type Codec<T> = import("../codec/codec.js").Codec<T>;
/** @typedef {import("../raw.js").StateChunk} StateChunk */
/**
 * @template T
 * @typedef {import("../codec/codec.js").Codec<T>} Codec
 */
/** Takes the items of operator state at a checkpoint; the argument of `operatorState`. */
export declare class Items {
    /** @internal @type {string[]} */
    _chunks: string[];
    /**
     * Adds an item. The order of the items is part of the state.
     *
     * An item must be able to move alone: the offset of one partition, not the table of all.
     *
     * @template T
     * @param {Codec<T>} codec
     * @param {T} item
     */
    push<T>(codec: Codec<T>, item: T): void;
}
/**
 * The items of operator state that this subtask receives at a restore; the argument of
 * `restoreOperatorState`.
 */
export declare class RestoredItems {
    _chunks: readonly import("../raw.js").StateChunk[];
    _current: number;
    /** The number of items. @returns {number} */
    get length(): number;
    /** The `stateVersion` of the operator that wrote the items; 0 if there are no items. */
    get version(): number;
    /**
     * Reads all items, in the order in which they were dealt out, as `version` wrote them.
     *
     * @template T
     * @param {Codec<T>} codec
     * @param {number} [version] the operator's own by default
     * @returns {T[]}
     * @throws {Failure} if another version wrote them, or one is not exactly such a value
     */
    read<T>(codec: Codec<T>, version?: number): T[];
}
/**
 * Reads a value that an earlier version of the operator wrote, to the last byte; for `migrate`.
 *
 * @template T
 * @param {Codec<T>} codec the type of the value in that version
 * @param {Uint8Array} bytes
 * @returns {T}
 * @throws {Failure} if the bytes are not exactly one value of the type
 */
export declare function readState<T>(codec: Codec<T>, bytes: Uint8Array): T;
/**
 * Returns the bytes of a value, for tests of `migrate`.
 *
 * @template T
 * @param {Codec<T>} codec
 * @param {T} value
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {RangeError} if `value` is not of the type
 */
export declare function writeState<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer>;
/**
 * Makes the failure with which `migrate` rejects a version that it does not know; throw it.
 *
 * @param {number} version
 * @returns {Failure}
 */
export declare function unknownVersion(version: number): Failure;
