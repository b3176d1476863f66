/**
 * The functions that the host lends an operator: a log, counters, and the key groups of keys.
 *
 * In a component the calls go to the host. In a native test they go to the harness's recorder.
 *
 * @module
 */

/** @typedef {import("./column.js").RawColumn} RawColumn */

/**
 * The severity of a log message. The job's settings decide which messages are shown.
 *
 * @typedef {"trace" | "debug" | "info" | "warn" | "error"} Level
 */

/**
 * The functions behind this module.
 *
 * @typedef {object} Host
 * @property {(level: Level, message: string) => void} log
 * @property {(metric: string, delta: number) => void} count
 * @property {(keys: RawColumn) => Uint32Array} keyGroups
 * @property {(seed: number, keys: RawColumn) => Int32Array} hashKeys
 */

/** @type {Host} */
let host = {
  log: () => {},
  count: () => {},
  keyGroups: () => {
    throw new TypeError("there is no host: run the operator in a Harness");
  },
  hashKeys: () => {
    throw new TypeError("there is no host: run the operator in a Harness");
  },
};

/**
 * Sets the host.
 *
 * @internal
 * @param {Host} newHost
 */
export function setHost(newHost) {
  host = newHost;
}

/**
 * Writes a message to the job's log, under the operator's and the subtask's name.
 *
 * The host cuts long messages and drops messages above the operator's log rate.
 *
 * @param {Level} level
 * @param {string} message
 */
export function log(level, message) {
  host.log(level, String(message).toWellFormed());
}

/**
 * Adds to a counter that the job's metrics show under the operator's name.
 *
 * A counter starts at 0 with each attempt of the job and is no part of the state. A call costs more
 * than a record: add up over a batch, rather than count each record.
 *
 * @param {string} metric
 * @param {number} [delta] a whole number from 0 to 2^53; 1 by default
 * @throws {RangeError} if `delta` is no such number
 */
export function count(metric, delta = 1) {
  if (!(Number.isSafeInteger(delta) && delta >= 0)) {
    throw new RangeError(`${delta} can't be added to a counter`);
  }
  host.count(metric.toWellFormed(), delta);
}

/**
 * Returns the key group of each key, in bulk.
 *
 * @internal
 * @param {RawColumn} keys
 * @returns {Uint32Array}
 */
export function keyGroups(keys) {
  return host.keyGroups(keys);
}

/**
 * Returns a hash of each key, in bulk, which no one can foresee without the seed.
 *
 * @internal
 * @param {number} seed
 * @param {RawColumn} keys
 * @returns {Int32Array}
 */
export function hashKeys(seed, keys) {
  return host.hashKeys(seed, keys);
}
