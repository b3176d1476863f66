/**
 * Record path: batch in → [record] → `onRecord` → output.
 *
 * @module
 */

import { Failure } from "./failure.js";
import { Field } from "./field.js";

/**
 * One record of the stream, read in place.
 *
 * The same object is used for all records: it is valid until `onRecord` returns. Keep what you read
 * from it.
 */
export class Record {
  /** @internal */
  constructor() {
    /** The key; empty for a record without one. @type {Field} */
    this.key = new Field("key");
    /** The value. @type {Field} */
    this.value = new Field("value");
    /** Index of the input of the record, for an operator with several. @type {number} */
    this.input = 0;
    /**
     * The row of the batch that the record is in. Batches are cut anywhere: it says nothing about
     * the stream, and is only good for a failure.
     *
     * @type {number}
     */
    this.row = 0;
    /** Low and high half of each timestamp. @internal @type {Int32Array} */
    this._times = new Int32Array(0);
    this.key._record = this;
    this.value._record = this;
  }

  /**
   * Event time in milliseconds since the Unix epoch, if the record has a timestamp. Exact within
   * 2^53 of the epoch, and rounded beyond; what is emitted inherits the timestamp exactly.
   *
   * @returns {number | undefined}
   */
  get timestamp() {
    const at = this.row * 2;
    return timestampOf(this._times[at], this._times[at + 1]);
  }

  /**
   * The failure that says that this record can't be processed, and why; throw it.
   *
   * ```js
   * if (record.value.length === 0) throw record.invalid("an empty value");
   * ```
   *
   * @param {string} reason why, for the user
   * @returns {Failure}
   */
  invalid(reason) {
    return Failure.invalidRecord(this.row, reason);
  }
}

/** The high half of "no timestamp", -2^63. */
export const NO_TIMESTAMP_HIGH = -2_147_483_648;

/**
 * @param {number} low the low 32 bits, of either sign
 * @param {number} high the high 32 bits, signed
 * @returns {number | undefined}
 */
export function timestampOf(low, high) {
  if (high === NO_TIMESTAMP_HIGH && low === 0) return undefined;
  return high * 4_294_967_296 + (low >>> 0);
}
