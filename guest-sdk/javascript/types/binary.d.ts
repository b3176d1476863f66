/**
 * Binary strings: one character below 256 for each byte.
 *
 * An interpreter is slow at bytes and fast at strings: it cuts, compares, sorts, joins and hashes
 * them natively. So columns, keys of the state and encoded values are binary strings inside the
 * SDK, and cross into bytes all at once.
 *
 * @module
 */
export type ToBase64 = {
    toBase64?: () => string;
};
export type FromBase64 = {
    fromBase64?: (text: string) => Uint8Array<ArrayBuffer>;
};
export type Percent = {
    escape: (text: string) => string;
    unescape: (text: string) => string;
};
/**
 * Returns the binary string of these bytes.
 *
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export declare function toBinary(bytes: Uint8Array): string;
/**
 * Returns the bytes of a binary string.
 *
 * @param {string} binary
 * @returns {Uint8Array<ArrayBuffer>}
 */
export declare function fromBinary(binary: string): Uint8Array<ArrayBuffer>;
/**
 * Returns true if every character is ASCII, so that a text is its own binary string.
 *
 * @param {string} text
 * @returns {boolean}
 */
export declare function isAscii(text: string): boolean;
/**
 * Returns the UTF-8 bytes of a text as a binary string. A lone surrogate becomes U+FFFD.
 *
 * @param {string} text
 * @returns {string}
 */
export declare function encodeText(text: string): string;
/**
 * Returns the text of a binary string, or undefined if that is not UTF-8.
 *
 * @param {string} binary
 * @returns {string | undefined}
 */
export declare function decodeText(binary: string): string | undefined;
