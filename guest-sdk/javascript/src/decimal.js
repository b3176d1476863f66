/**
 * Numbers as text, as the Rust SDK reads them: digits, with at most one minus sign in front.
 *
 * @module
 */

/**
 * The name of an integer type.
 *
 * @typedef {"u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64"} IntegerType
 */

const DIGITS = /^[0-9]{1,20}$/;
const SIGNED_DIGITS = /^-?[0-9]{1,20}$/;
const FLOAT = /^[+-]?(?:inf(?:inity)?|nan|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)$/i;

/**
 * The smallest and the largest number of each type that fits in a JavaScript number.
 *
 * @type {Record<string, readonly [number, number]>}
 */
const SMALL = {
  u8: [0, 255],
  u16: [0, 65_535],
  u32: [0, 4_294_967_295],
  i8: [-128, 127],
  i16: [-32_768, 32_767],
  i32: [-2_147_483_648, 2_147_483_647],
};

/** @type {Record<string, readonly [bigint, bigint]>} */
const LARGE = {
  u64: [0n, 18_446_744_073_709_551_615n],
  i64: [-9_223_372_036_854_775_808n, 9_223_372_036_854_775_807n],
};

/** The most digits with which a number always keeps its text. */
const SAFE_DIGITS = 15;

/**
 * Reads the number in a text, if it is of the type; `"passes"` if a JavaScript number can't hold it
 * exactly.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {number | "passes" | undefined}
 */
export function parseInteger(text, type) {
  const signed = type[0] === "i";
  if (!(signed ? SIGNED_DIGITS : DIGITS).test(text)) return undefined;
  const small = SMALL[type];
  if (small !== undefined) {
    const number = Number(text);
    // Adding zero makes -0 to 0.
    return number >= small[0] && number <= small[1] ? number + 0 : undefined;
  }
  if (text.length <= SAFE_DIGITS) return Number(text) + 0;
  const number = parseBigint(text, type);
  if (number === undefined) return undefined;
  const rounded = Number(number);
  return Number.isSafeInteger(rounded) ? rounded : "passes";
}

/**
 * Reads the number in a text, exactly, if it is of the type.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {bigint | undefined}
 */
export function parseBigint(text, type) {
  const small = SMALL[type];
  if (small !== undefined) {
    const number = parseInteger(text, type);
    return typeof number === "number" ? BigInt(number) : undefined;
  }
  const signed = type[0] === "i";
  if (!(signed ? SIGNED_DIGITS : DIGITS).test(text)) return undefined;
  const number = text[0] === "-" ? -BigInt(text.slice(1)) : BigInt(text);
  const [least, most] = LARGE[type];
  return number >= least && number <= most ? number : undefined;
}

/**
 * Reads the floating-point number in a text, in the grammar of Rust.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export function parseFloat64(text) {
  if (!FLOAT.test(text)) return undefined;
  const number = Number(text);
  if (!Number.isNaN(number)) return number;
  const name = text.toLowerCase();
  if (name.endsWith("nan")) return Number.NaN;
  return name[0] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
}
