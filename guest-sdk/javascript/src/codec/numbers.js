/**
 * Numbers and truth.
 *
 * Integers are varints of seven bits per byte, the lowest first; signed integers are in zigzag. 8
 * bits are a byte, and floats are IEEE 754.
 *
 * @module
 */

import { fromBinary, toBinary } from "../binary.js";
import { Codec, notA } from "./codec.js";
import { Malformed } from "./reader.js";

/** @typedef {import("./reader.js").Reader} Reader */

/** Each byte as a binary string. */
const BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));

/**
 * Writes a whole number from 0 to 2^53 as a varint.
 *
 * @param {number} number
 * @returns {string}
 */
export function varint(number) {
  if (number < 0x80) return BYTES[number];
  let binary = "";
  let rest = number;
  // Shifts work on 32 bits.
  while (rest >= 0x8000_0000) {
    binary += BYTES[(rest % 0x80) + 0x80];
    rest = Math.floor(rest / 0x80);
  }
  while (rest >= 0x80) {
    binary += BYTES[(rest & 0x7f) | 0x80];
    rest >>>= 7;
  }
  return binary + BYTES[rest];
}

/**
 * Writes a number below 2^64 as a varint.
 *
 * @param {bigint} number
 * @returns {string}
 */
function varint64(number) {
  if (number <= 9_007_199_254_740_991n) return varint(Number(number));
  let binary = "";
  let rest = number;
  for (; rest >= 0x80n; rest >>= 7n) binary += BYTES[Number(rest & 0x7fn) + 0x80];
  return binary + BYTES[Number(rest)];
}

/**
 * @param {number} left
 * @param {number} right
 * @returns {number}
 */
function byNumber(left, right) {
  return left - right;
}

/**
 * @param {bigint} left
 * @param {bigint} right
 * @returns {number}
 */
function byBigint(left, right) {
  return left < right ? -1 : Number(left > right);
}

/**
 * @param {string} name
 * @param {8 | 16 | 32} bits
 * @returns {Codec<number>}
 */
function unsigned(name, bits) {
  const most = 2 ** bits - 1;
  return new Codec({
    name,
    size: 1,
    initial: () => 0,
    compare: byNumber,
    encode(number) {
      if (!(Number.isInteger(number) && number >= 0 && number <= most)) throw notA(number, name);
      return bits === 8 ? BYTES[number] : varint(number + 0);
    },
    decode: (reader) => (bits === 8 ? reader.byte() : reader.varint(bits)),
  });
}

/**
 * @param {string} name
 * @param {8 | 16 | 32} bits
 * @returns {Codec<number>}
 */
function signed(name, bits) {
  const most = 2 ** (bits - 1) - 1;
  return new Codec({
    name,
    size: 1,
    initial: () => 0,
    compare: byNumber,
    encode(number) {
      if (!(Number.isInteger(number) && number >= -most - 1 && number <= most)) {
        throw notA(number, name);
      }
      if (bits === 8) return BYTES[number & 0xff];
      return varint(number >= 0 ? number * 2 : -number * 2 - 1);
    },
    decode(reader) {
      if (bits === 8) return (reader.byte() << 24) >> 24;
      const zigzag = reader.varint(bits);
      return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    },
  });
}

/**
 * The type of a 64-bit integer that is a bigint, and the same as a number.
 *
 * @typedef {Codec<bigint> & { asNumber: Codec<number> }} Wide
 */

/**
 * @param {string} name
 * @param {(number: bigint) => bigint} fold from the number to the written form
 * @param {(folded: bigint) => bigint} unfold
 * @param {(number: bigint) => bigint} cut to the range of the type
 * @returns {Codec<bigint>}
 */
function exact(name, fold, unfold, cut) {
  return new Codec({
    name,
    size: 1,
    initial: () => 0n,
    compare: byBigint,
    encode(number) {
      if (typeof number !== "bigint" || cut(number) !== number) throw notA(number, name);
      return varint64(fold(number));
    },
    decode: (reader) => unfold(reader.varint64()),
  });
}

/**
 * @param {bigint} number
 * @param {string} name
 * @returns {number}
 */
function small(number, name) {
  const rounded = Number(number);
  if (Number.isSafeInteger(rounded)) return rounded;
  throw new Malformed(`${number} passes 2^53; read it as ${name}, not as ${name}.asNumber`);
}

const u64Exact = exact(
  "u64",
  (number) => number,
  (folded) => folded,
  (number) => BigInt.asUintN(64, number),
);

/** @type {Codec<number>} */
const u64AsNumber = new Codec({
  name: "u64.asNumber",
  size: 1,
  initial: () => 0,
  compare: byNumber,
  encode(number) {
    if (!(Number.isSafeInteger(number) && number >= 0)) throw notA(number, "u64.asNumber");
    return varint(number + 0);
  },
  decode(reader) {
    const { binary, at, end } = reader;
    // Most counts are short, and one byte is the commonest.
    if (at < end) {
      const first = binary.charCodeAt(at);
      if (first < 0x80) {
        reader.at = at + 1;
        return first;
      }
    }
    return small(reader.varint64(), "u64");
  },
});

const i64Exact = exact(
  "i64",
  (number) => (number >= 0n ? number << 1n : ~(number << 1n)),
  (folded) => ((folded & 1n) === 0n ? folded >> 1n : ~(folded >> 1n)),
  (number) => BigInt.asIntN(64, number),
);

/** @type {Codec<number>} */
const i64AsNumber = new Codec({
  name: "i64.asNumber",
  size: 1,
  initial: () => 0,
  compare: byNumber,
  encode(number) {
    if (!Number.isSafeInteger(number)) throw notA(number, "i64.asNumber");
    // Twice the largest numbers would pass 2^53.
    if (number > 2 ** 51 || number < -(2 ** 51)) return i64Exact.encode(BigInt(number));
    return varint(number >= 0 ? number * 2 : -number * 2 - 1);
  },
  decode: (reader) => small(i64Exact.decode(reader), "i64"),
});

/** An unsigned integer of 8 bits, a number. */
export const u8 = unsigned("u8", 8);
/** An unsigned integer of 16 bits, a number. */
export const u16 = unsigned("u16", 16);
/** An unsigned integer of 32 bits, a number. */
export const u32 = unsigned("u32", 32);
/**
 * An unsigned integer of 64 bits, a bigint. `u64.asNumber` has the same bytes, is a number, and
 * several times as fast; it refuses to read or write numbers beyond 2^53.
 *
 * @type {Wide}
 */
export const u64 = Object.assign(u64Exact, { asNumber: u64AsNumber });
/** A signed integer of 8 bits, a number. */
export const i8 = signed("i8", 8);
/** A signed integer of 16 bits, a number. */
export const i16 = signed("i16", 16);
/** A signed integer of 32 bits, a number. */
export const i32 = signed("i32", 32);
/**
 * A signed integer of 64 bits, a bigint. `i64.asNumber` has the same bytes, is a number, and
 * several times as fast; it refuses to read or write numbers beyond 2^53.
 *
 * @type {Wide}
 */
export const i64 = Object.assign(i64Exact, { asNumber: i64AsNumber });

/** True or false. @type {Codec<boolean>} */
export const bool = new Codec({
  name: "bool",
  size: 1,
  initial: () => false,
  compare: (left, right) => Number(left) - Number(right),
  encode(truth) {
    if (typeof truth !== "boolean") throw notA(truth, "bool");
    return truth ? "\x01" : "\0";
  },
  decode(reader) {
    const byte = reader.byte();
    if (byte > 1) throw new Malformed(`${byte} is neither true nor false`);
    return byte === 1;
  },
});

const WORD = new DataView(new ArrayBuffer(8));
const WORD_BYTES = new Uint8Array(WORD.buffer);

/**
 * @param {string} name
 * @param {4 | 8} size
 * @param {(number: number) => void} write into `WORD`
 * @param {() => number} read from `WORD`
 * @param {string} nan the one form of every NaN
 * @returns {Codec<number>}
 */
function float(name, size, write, read, nan) {
  return new Codec({
    name,
    size,
    initial: () => 0,
    encode(number) {
      if (typeof number !== "number") throw notA(number, name);
      if (Number.isNaN(number)) return nan;
      write(number);
      return toBinary(WORD_BYTES.subarray(0, size));
    },
    decode(/** @type {Reader} */ reader) {
      WORD_BYTES.set(fromBinary(reader.take(size)));
      return read();
    },
  });
}

/** A floating-point number of 32 bits; numbers are rounded to 32 bits. */
export const f32 = float(
  "f32",
  4,
  (number) => WORD.setFloat32(0, number, true),
  () => WORD.getFloat32(0, true),
  "\0\0\xc0\x7f",
);
/** A floating-point number of 64 bits. */
export const f64 = float(
  "f64",
  8,
  (number) => WORD.setFloat64(0, number, true),
  () => WORD.getFloat64(0, true),
  "\0\0\0\0\0\0\xf8\x7f",
);
