/**
 * State that belongs to no key: a list of items, which are dealt out among the subtasks when the
 * parallelism changes.
 *
 * @module
 */

import { fromBinary, toBinary } from "../binary.js";
import { Malformed } from "../codec/reader.js";
import { Failure } from "../failure.js";
import { readItem, readValue, writeItem } from "./format.js";

/** @typedef {import("../raw.js").StateChunk} StateChunk */

/**
 * @template T
 * @typedef {import("../codec/codec.js").Codec<T>} Codec
 */

/** Takes the items of operator state at a checkpoint; the argument of `operatorState`. */
export class Items {
  /** @internal */
  constructor() {
    /** @internal @type {string[]} */
    this._chunks = [];
  }

  /**
   * Adds an item. The order of the items is part of the state.
   *
   * An item must be able to move alone: the offset of one partition, not the table of all.
   *
   * @template T
   * @param {Codec<T>} codec
   * @param {T} item
   */
  push(codec, item) {
    this._chunks.push(writeItem(codec.encode(item)));
  }
}

/**
 * The items of operator state that this subtask receives at a restore; the argument of
 * `restoreOperatorState`.
 */
export class RestoredItems {
  /**
   * @internal
   * @param {readonly StateChunk[]} chunks
   * @param {number} current the version that the operator writes now
   * @throws {Failure} if the chunks are of different versions
   */
  constructor(chunks, current) {
    this._chunks = chunks;
    this._current = current;
    if (chunks.some((chunk) => chunk.schemaVersion !== this.version)) {
      throw Failure.incompatibleState("its items of operator state have different versions");
    }
  }

  /** The number of items. @returns {number} */
  get length() {
    return this._chunks.length;
  }

  /** The `stateVersion` of the operator that wrote the items; 0 if there are no items. */
  get version() {
    return this._chunks.length === 0 ? 0 : this._chunks[0].schemaVersion;
  }

  /**
   * Reads all items, in the order in which they were dealt out, as `version` wrote them.
   *
   * @template T
   * @param {Codec<T>} codec
   * @param {number} [version] the operator's own by default
   * @returns {T[]}
   * @throws {Failure} if another version wrote them, or one is not exactly such a value
   */
  read(codec, version = this._current) {
    if (this.length > 0 && this.version !== version) throw unknownVersion(this.version);
    return this._chunks.map((chunk) => {
      try {
        return readValue(codec, readItem(toBinary(chunk.bytes)));
      } catch (error) {
        if (!(error instanceof Malformed)) throw error;
        throw Failure.incompatibleState(`an item: ${error.message}`);
      }
    });
  }
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
export function readState(codec, bytes) {
  return readValue(codec, toBinary(bytes));
}

/**
 * Returns the bytes of a value, for tests of `migrate`.
 *
 * @template T
 * @param {Codec<T>} codec
 * @param {T} value
 * @returns {Uint8Array<ArrayBuffer>}
 * @throws {RangeError} if `value` is not of the type
 */
export function writeState(codec, value) {
  return fromBinary(codec.encode(value));
}

/**
 * Makes the failure with which `migrate` rejects a version that it does not know; throw it.
 *
 * @param {number} version
 * @returns {Failure}
 */
export function unknownVersion(version) {
  return Failure.incompatibleState(`this operator does not read version ${version}`);
}
