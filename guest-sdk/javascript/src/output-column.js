/**
 * Record path: output → [columns] → emissions.
 *
 * The columns of the batch that is being built. Most operators send each record on with the key,
 * the value or the timestamp that it came with. As long as row `n` of the output is equal to row
 * `n` of the input, a column only counts its rows; at the end it is the input's own column.
 *
 * @module
 */

import { encodeText, isAscii, toBinary } from "./binary.js";
import { columnOf } from "./column.js";
import { Field } from "./field.js";
import { NO_TIMESTAMP_HIGH } from "./record.js";

/** @typedef {import("./column.js").RawColumn} RawColumn */
/** @typedef {import("./record.js").Record} Record */

/**
 * A value that a key or a value can be made of: text, bytes, a field as it is, integers as decimal
 * text, `le64(…)` as eight bytes, and `null` as an empty field.
 *
 * @typedef {string | number | bigint | Uint8Array | Field | Le64 | null} Emittable
 */

/** A 64-bit number as eight little-endian bytes; made by {@link le64}. */
export class Le64 {
  /**
   * @internal
   * @param {string} binary
   */
  constructor(binary) {
    /** @internal */
    this._binary = binary;
  }
}

const WORD = new DataView(new ArrayBuffer(8));
const WORD_BYTES = new Uint8Array(WORD.buffer);

/**
 * Makes a 64-bit number as eight little-endian bytes: half the work of decimal text, and a fixed
 * width.
 *
 * ```js
 * out.emit(record.key, le64(42));
 * out.emit(record.key, le64(1.5, "f64"));
 * ```
 *
 * @param {number | bigint} number
 * @param {"i64" | "u64" | "f64"} [type] `"i64"` by default
 * @returns {Le64}
 * @throws {RangeError} if `number` is not of the type
 */
export function le64(number, type = "i64") {
  if (type === "f64") {
    WORD.setFloat64(0, Number(number), true);
    return new Le64(toBinary(WORD_BYTES));
  }
  const exact = BigInt(number);
  const same = type === "i64" ? BigInt.asIntN(64, exact) : BigInt.asUintN(64, exact);
  if (same !== exact) throw new RangeError(`${number} is no number of type ${type}`);
  WORD.setBigInt64(0, exact, true);
  return new Le64(toBinary(WORD_BYTES));
}

/** The keys or the values of a batch. */
export class OutputColumn {
  /** @param {Field | undefined} mirror the field of the input that the column may be equal to */
  constructor(mirror) {
    this.mirror = mirror;
    /** The number of rows equal to the input's; -1 after a row that differs. */
    this.mirrored = mirror === undefined ? -1 : 0;
    /** @type {string[]} */
    this.rows = [];
    /** The rows that are text, and may have to be encoded. @type {number[]} */
    this.texts = [];
  }

  /**
   * @param {Emittable} field
   * @param {number} row the row of the input that is being processed
   */
  push(field, row) {
    if (this.mirrored >= 0) {
      if (field === this.mirror && row === this.mirrored) {
        this.mirrored = row + 1;
        return;
      }
      this.stopMirroring();
    }
    const { rows } = this;
    if (typeof field === "number") {
      // Such a whole number has one text in every language.
      if (field % 1 !== 0 || field > 9007199254740991 || field < -9007199254740991) {
        throw notEmittable(field);
      }
      rows.push(`${field}`);
    } else if (typeof field === "string") {
      this.texts.push(rows.length);
      rows.push(field);
    } else if (field instanceof Field) {
      rows.push(field.binary());
    } else {
      rows.push(binaryOf(field));
    }
  }

  /**
   * Returns the column with the rows that were pushed.
   *
   * @param {RawColumn | undefined} input the column that `mirror` reads
   * @returns {RawColumn}
   */
  finish(input) {
    if (this.mirrored < 0 || input === undefined) {
      this.encodeTexts();
      return columnOf(this.rows);
    }
    const offsets = input.offsets.subarray(0, this.mirrored + 1);
    return { offsets, data: input.data.subarray(0, offsets[this.mirrored]) };
  }

  stopMirroring() {
    const { mirror, mirrored, rows } = this;
    this.mirrored = -1;
    if (mirror === undefined) return;
    const { binary } = mirror._column;
    const offsets = mirror._offsets;
    for (let row = 0; row < mirrored; row++) {
      rows.push(binary.substring(offsets[row], offsets[row + 1]));
    }
  }

  /** Encodes texts. Most text is ASCII, so one check covers all of it. */
  encodeTexts() {
    const { rows, texts } = this;
    if (texts.length === 0 || isAscii(rows.join(""))) return;
    for (const at of texts) rows[at] = encodeText(rows[at]);
  }
}

/** The timestamps of a batch, as low and high halves. */
export class OutputTimes {
  /** @param {Record | undefined} record the record that timestamps are inherited from */
  constructor(record) {
    this.record = record;
    this.mirrored = record === undefined ? -1 : 0;
    /** @type {number[]} */
    this.halves = [];
  }

  /**
   * @param {number | null | undefined} timestamp a timestamp, null for none, or the record's own
   * @param {number} row the row of the input that is being processed
   */
  push(timestamp, row) {
    if (this.mirrored >= 0) {
      if (timestamp === undefined && row === this.mirrored) {
        this.mirrored = row + 1;
        return;
      }
      this.stopMirroring();
    }
    if (timestamp === undefined) {
      const times = this.record?._times;
      if (times !== undefined) {
        this.halves.push(times[row * 2], times[row * 2 + 1]);
        return;
      }
    }
    if (timestamp === undefined || timestamp === null) {
      this.halves.push(0, NO_TIMESTAMP_HIGH);
    } else {
      if (!Number.isSafeInteger(timestamp)) throw notATimestamp(timestamp);
      const high = Math.floor(timestamp / 4_294_967_296);
      this.halves.push((timestamp - high * 4_294_967_296) | 0, high);
    }
  }

  /** @returns {BigInt64Array<ArrayBuffer>} */
  finish() {
    const times = this.record?._times;
    const halves =
      this.mirrored >= 0 && times !== undefined
        ? times.slice(0, this.mirrored * 2)
        : Int32Array.from(this.halves);
    return new BigInt64Array(halves.buffer);
  }

  stopMirroring() {
    const times = this.record?._times;
    if (times !== undefined) this.halves = Array.from(times.subarray(0, this.mirrored * 2));
    this.mirrored = -1;
  }
}

/**
 * @param {bigint | Uint8Array | Le64 | null} field
 * @returns {string}
 */
function binaryOf(field) {
  if (typeof field === "bigint") return `${field}`;
  if (field === null) return "";
  if (field instanceof Le64) return field._binary;
  if (field instanceof Uint8Array) return toBinary(field);
  throw notEmittable(field);
}

/**
 * @param {unknown} field
 * @returns {TypeError}
 */
function notEmittable(field) {
  const what =
    typeof field === "number" ? `the number ${field}` : `a value of type ${typeof field}`;
  return new TypeError(
    `${what} can't be emitted: a key or a value is text, bytes, a field, ` +
      "a whole number up to 2^53, a bigint, le64(…) or null; " +
      "other numbers have no one text in all languages",
  );
}

/**
 * @param {number} timestamp
 * @returns {RangeError}
 */
function notATimestamp(timestamp) {
  return new RangeError(`${timestamp} is no timestamp: whole milliseconds up to 2^53`);
}
