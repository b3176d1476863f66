/**
 * Numbers as text, as the Rust SDK reads them: digits, with at most one minus sign in front.
 *
 * @module
 */
export type IntegerType = "u8" | "u16" | "u32" | "u64" | "i8" | "i16" | "i32" | "i64";
/**
 * The number that a text says, if it is one of the type; `"passes"` if a JavaScript number can't
 * hold it exactly.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {number | "passes" | undefined}
 */
export declare function parseInteger(text: string, type: IntegerType): number | "passes" | undefined;
/**
 * The number that a text says, exactly, if it is one of the type.
 *
 * @param {string} text
 * @param {IntegerType} type
 * @returns {bigint | undefined}
 */
export declare function parseBigint(text: string, type: IntegerType): bigint | undefined;
/**
 * The floating-point number that a text says, if it is one to Rust.
 *
 * @param {string} text
 * @returns {number | undefined}
 */
export declare function parseFloat64(text: string): number | undefined;
