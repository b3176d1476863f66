/**
 * Barrier path: host → `snapshot` → [write chunks] → host; recovery: host → `restore` → [read].
 *
 * Turns the state of an operator into the chunks of a checkpoint, and back. Invariant: equal state
 * gives equal chunks, whatever order its keys arrived in, and reading accepts everything or rejects
 * everything.
 *
 * @module
 */

import { fromBinary, toBinary } from "../binary.js";
import { Malformed } from "../codec/reader.js";
import { columnOf } from "../column.js";
import { owns } from "../context.js";
import { Failure } from "../failure.js";
import { keyGroups } from "../host.js";
import { readKeyed, readValue, writeEntry, writeKeyed } from "./format.js";
import { RestoredItems } from "./items.js";
import { State } from "./keyed.js";

/** @typedef {import("../raw.js").StateChunk} StateChunk */
/** @typedef {{ keyGroup: number, chunk: StateChunk }} KeyedChunk */

/**
 * @template T
 * @typedef {import("./keyed.js").KeyedState<T>} KeyedState
 */

/** Name of the chunks of keyed state. */
const KEYED = "keyed";

/** Name of the chunks of operator state. */
const ITEMS = "items";

/**
 * Writes the chunks of keyed state, by key group.
 *
 * @template T
 * @param {KeyedState<T>} keys
 * @param {number} schemaVersion
 * @returns {StateChunk[]}
 */
export function writeKeyedState(keys, schemaVersion) {
  keys._settle();
  const first = keys._context.firstKeyGroup;
  /** @type {string[][]} */
  const groups = [];
  keys._forEach(({ _keyGroup: keyGroup, _name: name }) => {
    const at = keyGroup - first;
    groups[at] ??= [];
    groups[at].push(name);
  });
  /** @type {StateChunk[]} */
  const chunks = [];
  const { encode } = keys._codec;
  groups.forEach((group, at) => {
    group.sort();
    const hashes = keys._hashes(columnOf(group));
    const entries = group.map((key, place) => {
      const state = /** @type {State<T>} */ (keys._at(hashes[place], key));
      return writeEntry(key, encode(state.value));
    });
    const bytes = fromBinary(writeKeyed(entries));
    chunks.push({ name: KEYED, schemaVersion, keyGroup: first + at, bytes });
  });
  return chunks;
}

/**
 * Writes the chunks of operator state.
 *
 * @param {readonly string[]} items
 * @param {number} schemaVersion
 * @returns {StateChunk[]}
 */
export function writeItems(items, schemaVersion) {
  const chunk = (/** @type {string} */ item) => {
    return { name: ITEMS, schemaVersion, keyGroup: null, bytes: fromBinary(item) };
  };
  return items.map(chunk);
}

/**
 * Sorts the chunks that a restore receives, by kind.
 *
 * @param {readonly StateChunk[]} chunks
 * @param {number} version the version that the operator writes
 * @returns {{ keyed: KeyedChunk[], items: RestoredItems }}
 */
export function sortOut(chunks, version) {
  /** @type {KeyedChunk[]} */
  const keyed = [];
  /** @type {StateChunk[]} */
  const items = [];
  for (const chunk of chunks) {
    const { name, keyGroup } = chunk;
    if (name === KEYED && keyGroup !== null) keyed.push({ keyGroup, chunk });
    else if (name === ITEMS && keyGroup === null) items.push(chunk);
    else {
      throw Failure.incompatibleState(
        `it has a chunk \`${name}\`, which this operator did not write`,
      );
    }
  }
  keyed.sort((left, right) => left.keyGroup - right.keyGroup);
  return { keyed, items: new RestoredItems(items, version) };
}

/**
 * Reads keyed state into `keys`, which is empty. Values of another version go through `migrate`.
 *
 * @template T
 * @param {KeyedState<T>} keys
 * @param {readonly KeyedChunk[]} chunks by key group
 * @param {number} schemaVersion
 * @param {(version: number, bytes: Uint8Array<ArrayBuffer>) => T} migrate
 */
export function readKeyedState(keys, chunks, schemaVersion, migrate) {
  let last = -1;
  for (const { keyGroup } of chunks) {
    if (keyGroup === last) throw inGroup(keyGroup, "it is there twice");
    last = keyGroup;
  }
  for (const { keyGroup, chunk } of chunks) {
    if (!owns(keys._context, keyGroup)) throw inGroup(keyGroup, "this subtask does not own it");
    /** @type {string[]} */
    const names = [];
    /** @type {State<T>[]} */
    const states = [];
    const take = (/** @type {string} */ key, /** @type {string} */ value) => {
      const version = chunk.schemaVersion;
      const state = new State(
        version === schemaVersion
          ? readValue(keys._codec, value)
          : migrate(version, fromBinary(value)),
      );
      state._keyGroup = keyGroup;
      states.push(state);
      names.push(key);
    };
    try {
      readKeyed(toBinary(chunk.bytes), take);
    } catch (error) {
      throw error instanceof Malformed ? inGroup(keyGroup, error.message) : error;
    }
    const column = columnOf(names);
    if (keyGroups(column).some((group) => group !== keyGroup)) {
      throw inGroup(keyGroup, "it has a key of another key group");
    }
    const hashes = keys._hashes(column);
    for (const [at, name] of names.entries()) keys._add(hashes[at], name, states[at]);
  }
}

/**
 * @param {number} keyGroup
 * @param {string} reason
 * @returns {Failure}
 */
function inGroup(keyGroup, reason) {
  return Failure.incompatibleState(`the chunk of key group ${keyGroup}: ${reason}`);
}
