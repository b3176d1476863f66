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
 * The same object is used for all records: it is valid until `onRecord` returns. Keep the results
 * of your readings, not the record.
 */
export class Record {
  /** @internal */
  constructor() {
    /** The key; empty for a record without a key. @type {Field} */
    this.key = new Field("key");
    /** The value. @type {Field} */
    this.value = new Field("value");
    /** Index of the input of the record, for an operator with several inputs. @type {number} */
    this.input = 0;
    /**
     * The row of the record in its batch. Batches are cut anywhere: a row means nothing in the
     * stream, and serves only for a failure.
     *
     * @type {number}
     */
    this.row = 0;
    /** The low and the high half of each timestamp. @internal @type {Int32Array} */
    this._times = new Int32Array(0);
    this.key._record = this;
    this.value._record = this;
  }

  /**
   * Event time in milliseconds since the Unix epoch, if the record has a timestamp. Exact within
   * 2^53 of the epoch, and rounded beyond; emitted records inherit the timestamp exactly.
   *
   * @returns {number | undefined}
   */
  get timestamp() {
    const at = this.row * 2;
    return timestampOf(this._times[at], this._times[at + 1]);
  }

  /**
   * Makes the failure that rejects this record for a reason; throw it.
   *
   * ```js
   * if (record.value.length === 0) throw record.invalid("an empty value");
   * ```
   *
   * @param {string} reason the reason, for the user
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
