/**
 * Reads encoded values from a binary string. Trusts no length: whatever the bytes are, the reader
 * ends, and reserves no more than the bytes could hold.
 *
 * @module
 */

/** The error that bytes are no value of a type. */
export class Malformed extends Error {}

/** Reads `binary` from `at` up to `end`. */
export class Reader {
  /**
   * @param {string} binary
   * @param {number} [at]
   * @param {number} [end]
   */
  constructor(binary, at = 0, end = binary.length) {
    this.binary = binary;
    this.at = at;
    this.end = end;
  }

  /** The number of bytes left. @returns {number} */
  get left() {
    return this.end - this.at;
  }

  /** @returns {number} */
  byte() {
    if (this.at >= this.end) throw tooEarly();
    return this.binary.charCodeAt(this.at++);
  }

  /**
   * @param {number} length
   * @returns {string} a binary string
   */
  take(length) {
    if (length > this.end - this.at) throw tooEarly();
    this.at += length;
    return this.binary.substring(this.at - length, this.at);
  }

  /**
   * Reads a varint below 2^`bits`, for up to 32 bits.
   *
   * @param {16 | 32} bits
   * @returns {number}
   */
  varint(bits) {
    let number = this.byte();
    if (number < 0x80) return number;
    number -= 0x80;
    let unit = 0x80;
    for (let left = Math.ceil(bits / 7) - 1; left > 0; left--) {
      const byte = this.byte();
      number += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (number >= 2 ** bits) throw new Malformed(`a number passes ${bits} bits`);
        return number;
      }
      unit *= 0x80;
    }
    throw new Malformed(`a number of ${bits} bits has too many bytes`);
  }

  /**
   * Reads a varint below 2^64.
   *
   * @returns {bigint}
   */
  varint64() {
    let low = 0;
    let unit = 1;
    for (let index = 0; index < 7; index++) {
      const byte = this.byte();
      low += (byte & 0x7f) * unit;
      if (byte < 0x80) return BigInt(low);
      unit *= 0x80;
    }
    // 49 bits are read, and 15 may follow.
    let high = 0;
    unit = 1;
    for (let index = 0; index < 3; index++) {
      const byte = this.byte();
      high += (byte & 0x7f) * unit;
      if (byte < 0x80) {
        if (high >= 0x8000) throw new Malformed("a number passes 64 bits");
        return (BigInt(high) << 49n) | BigInt(low);
      }
      unit *= 0x80;
    }
    throw new Malformed("a number of 64 bits has too many bytes");
  }

  /**
   * Reads the length of a value that takes at least `size` bytes for each unit.
   *
   * @param {number} size
   * @returns {number}
   */
  length(size) {
    const first = this.at < this.end ? this.binary.charCodeAt(this.at) : 0x80;
    let length = first;
    if (first < 0x80) this.at++;
    else length = Number(this.varint64());
    if (length * size > this.end - this.at) throw tooEarly();
    return length;
  }
}

/** @returns {Malformed} */
function tooEarly() {
  return new Malformed("it ends too early");
}
