/**
 * Record path: `onRecord` → [output] → emissions → host.
 *
 * The records of one port are in the order in which they were emitted.
 *
 * @module
 */

import { Failure } from "./failure.js";
import { OutputColumn, OutputTimes } from "./output-column.js";

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
export class Output {
  /**
   * @internal
   * @param {number} ports number of ports; port 0 always exists
   * @param {Record} record the record that is being processed
   */
  constructor(ports, record) {
    this._ports = Math.max(ports, 1);
    this._record = record;
    /** @type {Batch | undefined} */
    this._input = undefined;
    this._main = new Builder(undefined);
    /** @type {(Builder | undefined)[]} */
    this._side = [];
    /** The first unknown port that a record named. @type {number | undefined} */
    this._unknownPort = undefined;
  }

  /**
   * Sends a record out of port 0, the main output.
   *
   * @param {Emittable} key
   * @param {Emittable} value
   * @param {number | null} [timestamp] milliseconds since the Unix epoch, `null` for none; by
   *   default the timestamp of the record that is being processed
   * @throws {TypeError} if a field can't be emitted
   */
  emit(key, value, timestamp) {
    const { row } = this._record;
    const main = this._main;
    main.keys.push(key, row);
    main.values.push(value, row);
    main.times.push(timestamp, row);
  }

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
  emitTo(port, key, value, timestamp) {
    const builder = this._builder(port);
    if (builder === undefined) return;
    const { row } = this._record;
    builder.keys.push(key, row);
    builder.values.push(value, row);
    builder.times.push(timestamp, row);
  }

  /**
   * Begins a call that processes this batch, or no batch.
   *
   * @internal
   * @param {Batch | undefined} input
   */
  _begin(input) {
    this._input = input;
    this._main = new Builder(input === undefined ? undefined : this._record);
    this._side = [];
    this._unknownPort = undefined;
  }

  /**
   * Takes everything that was emitted since `_begin`.
   *
   * @internal
   * @returns {Emission[]}
   * @throws {Failure} if a port does not exist
   */
  _take() {
    if (this._unknownPort !== undefined) {
      throw new Failure(
        `a record was emitted to output port ${this._unknownPort}, but the operator has ` +
          `${this._ports}`,
      );
    }
    const emissions = [];
    for (const [port, builder] of [this._main, ...this._side].entries()) {
      const records = builder?.finish(this._input);
      if (records !== undefined) emissions.push({ port, records });
    }
    return emissions;
  }

  /**
   * @internal
   * @param {number} port
   * @returns {Builder | undefined}
   */
  _builder(port) {
    if (port === 0) return this._main;
    if (!(Number.isInteger(port) && port > 0)) throw new TypeError(`${port} is no output port`);
    if (port >= this._ports) {
      this._unknownPort ??= port;
      return undefined;
    }
    const record = this._input === undefined ? undefined : this._record;
    this._side[port - 1] ??= new Builder(record);
    return this._side[port - 1];
  }
}

/** The batch of one port. */
class Builder {
  /** @param {Record | undefined} record */
  constructor(record) {
    this.keys = new OutputColumn(record?.key);
    this.values = new OutputColumn(record?.value);
    this.times = new OutputTimes(record);
  }

  /**
   * @param {Batch | undefined} input
   * @returns {Batch | undefined} undefined if there is no row
   */
  finish(input) {
    const timestamps = this.times.finish();
    if (timestamps.length === 0) return undefined;
    const keys = this.keys.finish(input?.keys);
    const values = this.values.finish(input?.values);
    return { timestamps, keys, values };
  }
}
