/**
 * Record path: `onRecord` → [output] → emissions → host.
 *
 * The order of the records of one port is the order in which they were emitted.
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
 * Where an operator sends its records.
 *
 * Keys and values are text, bytes, fields of a record as they are, integers (as decimal text),
 * `le64(…)`, or `null` for none. A record inherits the timestamp of the record that is being
 * processed; outside of `onRecord` it has none.
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
    /** The first port that was named and is not there. @type {number | undefined} */
    _unknownPort: number | undefined;
    /**
     * Sends a record out of port 0, the main output.
     *
     * @param {Emittable} key
     * @param {Emittable} value
     * @param {number | null} [timestamp] milliseconds since the Unix epoch, `null` for none; the
     *   timestamp of the record that is being processed if it is left out
     * @throws {TypeError} if a field can't be emitted
     */
    emit(key: Emittable, value: Emittable, timestamp?: number | null): void;
    /**
     * Sends a record out of `port`. A port that the job file gives nothing to do fails the call after
     * it has returned.
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
     * @returns {Batch | undefined} nothing if there is no row
     */
    finish(input: Batch | undefined): Batch | undefined;
}
export {};
