/**
 * Barrier path: host → `snapshot` → [write chunks] → host; recovery: host → `restore` → [read].
 *
 * Turns the state of an operator into the chunks of a checkpoint, and back. Invariant: equal state
 * gives equal chunks, whatever order its keys arrived in, and reading accepts everything or rejects
 * everything.
 *
 * @module
 */
import { RestoredItems } from "./items.js";
export type StateChunk = import("../raw.js").StateChunk;
export type KeyedChunk = {
    keyGroup: number;
    chunk: StateChunk;
};
export type KeyedState<T> = import("./keyed.js").KeyedState<T>;
/**
 * Writes the chunks of keyed state, by key group.
 *
 * @template T
 * @param {KeyedState<T>} keys
 * @param {number} schemaVersion
 * @returns {StateChunk[]}
 */
export declare function writeKeyedState<T>(keys: KeyedState<T>, schemaVersion: number): StateChunk[];
/**
 * Writes the chunks of operator state.
 *
 * @param {readonly string[]} items
 * @param {number} schemaVersion
 * @returns {StateChunk[]}
 */
export declare function writeItems(items: readonly string[], schemaVersion: number): StateChunk[];
/**
 * Sorts the chunks that a restore receives, by kind.
 *
 * @param {readonly StateChunk[]} chunks
 * @param {number} version the version that the operator writes
 * @returns {{ keyed: KeyedChunk[], items: RestoredItems }}
 */
export declare function sortOut(chunks: readonly StateChunk[], version: number): {
    keyed: KeyedChunk[];
    items: RestoredItems;
};
/**
 * Reads keyed state into `keys`, which is empty. Values of another version go through `migrate`.
 *
 * @template T
 * @param {KeyedState<T>} keys
 * @param {readonly KeyedChunk[]} chunks by key group
 * @param {number} schemaVersion
 * @param {(version: number, bytes: Uint8Array<ArrayBuffer>) => T} migrate
 */
export declare function readKeyedState<T>(keys: KeyedState<T>, chunks: readonly KeyedChunk[], schemaVersion: number, migrate: (version: number, bytes: Uint8Array<ArrayBuffer>) => T): void;
