/**
 * Record path: column → [field] → author.
 *
 * A key or a value, read in place.
 *
 * @module
 */

import { decodeText } from "./binary.js";
import { Column } from "./column.js";
import { parseBigint, parseFloat64, parseInteger } from "./decimal.js";
import { Failure } from "./failure.js";

/** @typedef {import("./decimal.js").IntegerType} IntegerType */

/**
 * A key or a value: bytes, which can be read as text, numbers or JSON.
 *
 * The fields of a record are valid until the next record: the SDK uses the same two objects for all
 * records. Keep the result of a reading, not the field. A reading that fails throws a `Failure`
 * that blames the record.
 *
 * ```js
 * const amount = record.value.integer("i64");
 * const country = record.key.text();
 * ```
 */
export class Field {
  /**
   * @internal
   * @param {"key" | "value"} name its name in failures
   */
  constructor(name) {
    /** @internal */
    this._name = name;
    /** @internal @type {Column} */
    this._column = EMPTY;
    /** @internal */
    this._start = 0;
    /** @internal */
    this._end = 0;
    /** The offsets of its column's rows. @internal @type {Uint32Array} */
    this._offsets = NO_OFFSETS;
    /** The record it belongs to. @internal @type {{ row: number } | undefined} */
    this._record = undefined;
  }

  /** The number of bytes. @returns {number} */
  get length() {
    return this._end - this._start;
  }

  /**
   * Returns a copy of the bytes.
   *
   * @returns {Uint8Array<ArrayBuffer>}
   */
  bytes() {
    return this._column.data().slice(this._start, this._end);
  }

  /**
   * Returns the bytes as a binary string, one character below 256 for each.
   *
   * The fastest reading, for keys of a `Map` and for comparisons: it never fails, and orders like
   * the bytes.
   *
   * @returns {string}
   */
  binary() {
    return this._column.binary.substring(this._start, this._end);
  }

  /**
   * Returns the text.
   *
   * @returns {string}
   * @throws {Failure} if the field is not UTF-8
   */
  text() {
    const binary = this._column.binary.substring(this._start, this._end);
    if (this._column.isAscii()) return binary;
    const text = decodeText(binary);
    if (text === undefined) throw this._unexpected("UTF-8 text");
    return text;
  }

  /**
   * Reads the integer in decimal text, as a number.
   *
   * @param {IntegerType} [type] its type, whose range is checked; `"i64"` by default
   * @returns {number}
   * @throws {Failure} if it is not of the type, or passes 2^53 (`bigint` reads all 64 bits)
   */
  integer(type = "i64") {
    const number = parseInteger(this.binary(), type);
    if (typeof number === "number") return number;
    if (number === "passes") throw this._invalid(PASSES);
    throw this._unexpected(`a decimal number of type ${type}`);
  }

  /**
   * Reads the integer in decimal text, as a bigint: exact.
   *
   * @param {IntegerType} [type] its type, whose range is checked; `"i64"` by default
   * @returns {bigint}
   * @throws {Failure} if it is not of the type
   */
  bigint(type = "i64") {
    const number = parseBigint(this.binary(), type);
    if (number === undefined) throw this._unexpected(`a decimal number of type ${type}`);
    return number;
  }

  /**
   * Reads the floating-point number in decimal text.
   *
   * @returns {number}
   * @throws {Failure} if the field is no such number
   */
  float() {
    const number = parseFloat64(this.binary());
    if (number === undefined) throw this._unexpected("a decimal number of type f64");
    return number;
  }

  /**
   * Reads the 64-bit number of eight little-endian bytes.
   *
   * @param {"i64" | "u64" | "f64"} [type] `"i64"` by default
   * @returns {number}
   * @throws {Failure} if there are not eight bytes, or an integer passes 2^53
   */
  le64(type = "i64") {
    const view = this._word();
    if (type === "f64") return view.getFloat64(this._start, true);
    const low = view.getUint32(this._start, true);
    const high =
      type === "i64" ? view.getInt32(this._start + 4, true) : view.getUint32(this._start + 4, true);
    const number = high * 4_294_967_296 + low;
    if (!Number.isSafeInteger(number)) throw this._invalid(PASSES);
    return number;
  }

  /**
   * Reads the 64-bit integer of eight little-endian bytes, exactly.
   *
   * @param {"i64" | "u64"} [type] `"i64"` by default
   * @returns {bigint}
   * @throws {Failure} if there are not eight bytes
   */
  le64Bigint(type = "i64") {
    const view = this._word();
    return type === "i64"
      ? view.getBigInt64(this._start, true)
      : view.getBigUint64(this._start, true);
  }

  /**
   * Reads the JSON value. Numbers beyond 2^53 are rounded, as `JSON.parse` does.
   *
   * @returns {any}
   * @throws {Failure} with the parser's message if the field is not JSON
   */
  json() {
    const text = decodeText(this.binary());
    if (text === undefined) throw this._unexpected("UTF-8 text");
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this._invalid(`: ${error instanceof Error ? error.message : String(error)}`, "");
    }
  }

  /** @internal @returns {DataView} */
  _word() {
    const length = this._end - this._start;
    if (length !== 8) throw this._unexpected(`eight little-endian bytes but ${length}`);
    const { buffer, byteOffset, byteLength } = this._column.data();
    return new DataView(buffer, byteOffset, byteLength);
  }

  /**
   * @internal
   * @param {string} expected
   * @returns {Failure}
   */
  _unexpected(expected) {
    return this._invalid(`is not ${expected}`);
  }

  /**
   * @internal
   * @param {string} reason
   * @param {string} [space]
   * @returns {Failure}
   */
  _invalid(reason, space = " ") {
    const sentence = `the ${this._name}${space}${reason}`;
    if (this._record === undefined) return new Failure(sentence);
    return Failure.invalidRecord(this._record.row, sentence);
  }
}

const PASSES = "passes 2^53, which a JavaScript number can't hold exactly";

const EMPTY = new Column("");
const NO_OFFSETS = new Uint32Array(1);

/**
 * Makes a key outside of a record, which can be kept.
 *
 * @param {string} binary
 * @returns {Field}
 */
export function keyField(binary) {
  const key = new Field("key");
  key._column = new Column(binary);
  key._end = binary.length;
  return key;
}
