/**
 * A column of byte strings, with its bytes as a binary string.
 *
 * @module
 */

import { fromBinary, isAscii, toBinary } from "./binary.js";

/**
 * A column as it crosses the boundary: row `i` is `data[offsets[i]]` up to `data[offsets[i + 1]]`.
 *
 * @typedef {object} RawColumn
 * @property {Uint32Array<ArrayBuffer>} offsets one more than there are rows, starting at 0
 * @property {Uint8Array<ArrayBuffer>} data the bytes of all rows
 */

/** The rows of a column, one after the other. */
export class Column {
  /** @type {Uint8Array<ArrayBuffer> | undefined} */
  #data;
  /** @type {boolean | undefined} */
  #ascii;

  /**
   * @param {string} binary
   * @param {Uint8Array<ArrayBuffer>} [data] the same as bytes, if they are there already
   */
  constructor(binary, data) {
    /** All rows, as one binary string. */
    this.binary = binary;
    this.#data = data;
  }

  /**
   * @param {Uint8Array<ArrayBuffer>} data
   * @returns {Column}
   */
  static ofBytes(data) {
    return new Column(toBinary(data), data);
  }

  /**
   * Returns all rows, as bytes.
   *
   * @returns {Uint8Array<ArrayBuffer>}
   */
  data() {
    this.#data ??= fromBinary(this.binary);
    return this.#data;
  }

  /**
   * Returns true if all rows are ASCII; checked once, and only if a caller asks.
   *
   * @returns {boolean}
   */
  isAscii() {
    this.#ascii ??= isAscii(this.binary);
    return this.#ascii;
  }
}

/**
 * Makes the column with these rows.
 *
 * @param {readonly string[]} rows binary strings
 * @returns {RawColumn}
 */
export function columnOf(rows) {
  const offsets = new Uint32Array(rows.length + 1);
  let end = 0;
  for (let row = 0; row < rows.length; row++) {
    end += rows[row].length;
    offsets[row + 1] = end;
  }
  return { offsets, data: fromBinary(rows.join("")) };
}
