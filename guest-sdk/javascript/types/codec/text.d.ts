/**
 * Text and bytes, and the type that has no bytes.
 *
 * @module
 */
import { Codec } from "./codec.js";
/** Text, written in UTF-8. A lone surrogate becomes U+FFFD. @type {Codec<string>} */
export declare const string: Codec<string>;
/** Bytes. @type {Codec<Uint8Array>} */
export declare const bytes: Codec<Uint8Array>;
/** The type without a value: no state is kept. @type {Codec<undefined>} */
export declare const unit: Codec<undefined>;
