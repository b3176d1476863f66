/**
 * Record path: `onRecord` → [output] → emissions → host.
 *
 * The records of one port are in the order in which they were emitted.
 *
 * @module
 */
import { OutputColumn, OutputTimes } from "./output-column.js";
export type Emittable = import("./output-column.js").Emittable;
export type Batch = import("./raw.js").Batch;
export type Emission = import("./raw.js").Emission;
export type Record = import("./record.js").Record;
/** @typedef {import("./output-column.js").Emittable} Emittable */
/** @typedef {import("./raw.js").Batch} Batch */
/** @typedef {import("./raw.js").Emission} Emission */
/** @typedef {import("./record.js").Record} Record */
/**
 * The output ports of an operator, out of which it sends its records.
 *
 * Keys and values are text, bytes, fields of a record as they are, integers (as decimal text),
 * `le64(…)`, or `null` for an empty field. A record inherits the timestamp of the record that is
 * being processed; outside of `onRecord` it has no timestamp.
 *
 * ```js
 * out.emit(record.key, 42);
 * out.emitTo(1, record.key, "too late");
 * ```
 */
export declare class Output {
    _ports: number;
    _record: import("./record.js").Record;
    /** @type {Batch | undefined} */
    _input: Batch | undefined;
    _main: Builder;
    /** @type {(Builder | undefined)[]} */
    _side: (Builder | undefined)[];
    /** The first unknown port that a record named. @type {number | undefined} */
    _unknownPort: number | undefined;
    /**
     * Sends a record out of port 0, the main output.
     *
     * @param {Emittable} key
     * @param {Emittable} value
     * @param {number | null} [timestamp] milliseconds since the Unix epoch, `null` for none; by
     *   default the timestamp of the record that is being processed
     * @throws {TypeError} if a field can't be emitted
     */
    emit(key: Emittable, value: Emittable, timestamp?: number | null): void;
    /**
     * Sends a record out of `port`. If the operator has no such port in the job file, the call fails
     * after it has returned.
     *
     * @param {number} port from 0
     * @param {Emittable} key
     * @param {Emittable} value
     * @param {number | null} [timestamp] as `emit` takes it
     * @throws {TypeError} if a field can't be emitted
     */
    emitTo(port: number, key: Emittable, value: Emittable, timestamp?: number | null): void;
}
/** The batch of one port. */
declare class Builder {
    keys: OutputColumn;
    values: OutputColumn;
    times: OutputTimes;
    /** @param {Record | undefined} record */
    constructor(record: Record | undefined);
    /**
     * @param {Batch | undefined} input
     * @returns {Batch | undefined} undefined if there is no row
     */
    finish(input: Batch | undefined): Batch | undefined;
}
export {};
