/**
 * Numbers as text, as the Rust SDK reads them: digits, with at most one minus sign in front.
 *
 * @module
 */
export type IntegerType = "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64";
/**
 * Reads the number in a text, if it is of the type; `"passes"` if a JavaScript number can't hold it
 * exactly.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {number | "passes" | undefined}
 */
export declare function parseInteger(text: string, type: IntegerType): number | "passes" | undefined;
/**
 * Reads the number in a text, exactly, if it is of the type.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {bigint | undefined}
 */
export declare function parseBigint(text: string, type: IntegerType): bigint | undefined;
/**
 * Reads the floating-point number in a text, in the grammar of Rust.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export declare function parseFloat64(text: string): number | undefined;
