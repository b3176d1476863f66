/**
 * The functions that the host lends an operator: a log, counters, and the key groups of keys.
 *
 * In a component the calls go to the host. In a native test they go to the harness's recorder.
 *
 * @module
 */
export type RawColumn = import("./column.js").RawColumn;
export type Level = "trace" | "debug" | "info" | "warn" | "error";
export type Host = {
    log: (level: Level, message: string) => void;
    count: (metric: string, delta: number) => void;
    keyGroups: (keys: RawColumn) => Uint32Array;
    hashKeys: (seed: number, keys: RawColumn) => Int32Array;
};
/**
 * Writes a message to the job's log, under the operator's and the subtask's name.
 *
 * The host cuts long messages and drops messages above the operator's log rate.
 *
 * @param {Level} level
 * @param {string} message
 */
export declare function log(level: Level, message: string): void;
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
export declare function count(metric: string, delta?: number): void;
